"""Tiny pretrained text nets of several classes of `transformers`, made on the spot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

CONFIGS = {
    "bert": ("BertConfig", {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
                            "intermediate_size": 32, "max_position_embeddings": 40}),
    "distilbert": ("DistilBertConfig", {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32,
                                        "max_position_embeddings": 40}),
    "roberta": ("RobertaConfig", {"hidden_size": 16, "num_hidden_layers": 2,
                                  "num_attention_heads": 2, "intermediate_size": 32,
                                  "max_position_embeddings": 40}),
}  # fmt: skip


def write(kind: str, place: Path, texts: Iterable[str], size: int = 200) -> Path:
    """Write a tiny pretrained text net with its tokeniser into a new folder."""
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    cutter = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    cutter.normalizer = normalizers.Lowercase()
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()
    cutter.train_from_iterator(
        texts, trainers.WordLevelTrainer(vocab_size=size, special_tokens=marks, show_progress=False)
    )
    cutter.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    name, options = CONFIGS[kind]
    config = getattr(transformers, name)(**options, vocab_size=size, pad_token_id=0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = transformers.AutoModel.from_config(config)
    net.save_pretrained(place)
    cutter.save(str(place / "tokenizer.json"))
    (place / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return place
