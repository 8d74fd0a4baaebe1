"""Sentence pairs of a small language, whose translation is known, and a tiny pretrained net."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from neuroscope.data.table import Origin, Table

NOUNS = {"Hund": "dog", "Mann": "man", "Ball": "ball", "Baum": "tree", "Stuhl": "chair"}
ADJECTIVES = {"rote": "red", "alte": "old", "kleine": "small", "neue": "new"}
VERBS = {"läuft": "runs", "fällt": "falls", "steht": "stands"}


def pairs(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return sentences and their translations: "Der alte Baum steht 7 Mal." and the like."""
    random = np.random.default_rng(seed)
    found: list[tuple[str, str]] = []
    for _ in range(n):
        noun, adjective, verb = (str(random.choice(list(d))) for d in (NOUNS, ADJECTIVES, VERBS))
        number = int(random.integers(0, 1000))
        article, end = ("Der", "The") if number % 2 else ("Ein", "A"), "!" if number % 3 else "."
        found.append((
            f"{article[0]} {adjective} {noun} {verb} {number} Mal{end}",
            f"{article[1]} {ADJECTIVES[adjective]} {NOUNS[noun]} {VERBS[verb]} {number} times{end}",
        ))  # fmt: skip
    source, target = zip(*found, strict=True)
    return list(source), list(target)


def table(source: list[str | None], target: list[str | None]) -> Table:
    """Return a table of the columns "de" and "en"."""
    arrow = pa.table({"de": pa.array(source, pa.string()), "en": pa.array(target, pa.string())})
    return Table(arrow, Origin("pairs.csv", ("pairs.csv",)))


def write_csv(place: Path, source: list[str], target: list[str]) -> str:
    """Write both columns into a file."""
    lines = ["de,en", *(f'"{a}","{b}"' for a, b in zip(source, target, strict=True))]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(place)


def tiny_marian(place: Path) -> Path:
    """Write a tiny Marian net with random weights and a tokenizer.json into a new folder."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    source, target = pairs(200, seed=5)
    words = sorted({w for text in source + target for w in text.rstrip(".!").split()})
    known = ["</s>", "<unk>", *words, ".", "!", *"0123456789", "<pad>"]
    numbers = {word: place for place, word in enumerate(dict.fromkeys(known))}
    cutter = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()
    cutter.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    config = transformers.MarianConfig(
        vocab_size=len(numbers), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, pad_token_id=numbers["<pad>"], eos_token_id=0,
        decoder_start_token_id=numbers["<pad>"], max_position_embeddings=40,
        forced_eos_token_id=0, num_beams=1, scale_embedding=True,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = transformers.MarianMTModel(config)
    net.save_pretrained(place)
    cutter.save(str(place / "tokenizer.json"))
    (place / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    assert json.loads((place / "config.json").read_text())["model_type"] == "marian"
    return place
