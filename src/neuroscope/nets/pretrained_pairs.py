"""Pretrained nets of sentence pairs from a local folder (Marian, T5, BART …), by `transformers`.

The folder holds config.json, model.safetensors and tokenizer.json, which says how texts are cut.
Weights are safetensors only and no code from the folder runs. Needs the extra `transfer`.

Not covered: nets of many languages that want the code of one before each sentence (mBART, M2M100,
NLLB), and folders that say how texts are cut in files of sentencepiece only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from neuroscope.base.errors import ModelError
from neuroscope.nets import _folder
from neuroscope.nets._pairs import Pairs, State, blanked
from neuroscope.nets.backbone import Origin
from neuroscope.nets.pretrained import _quiet, transformers_package
from neuroscope.nets.weights import listed

TOKENISER = "tokenizer.json"
_OF_MANY_LANGUAGES = ("mbart", "m2m_100", "nllb-moe", "seamless_m4t", "plbart")
_MADE_UP = ("embed_positions", "lm_head.weight", "final_logits_bias")  # computed, or tied


class Named:
    """What a net stands on, as the card wants to know it."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin


class PretrainedPairs(Pairs):
    """A net of `transformers` that reads one sequence and writes another.

    What it has read is kept, and the keys and values of what it has written: a step costs a token.
    """

    def __init__(self, net: Any, config: Mapping[str, Any], origin: Origin) -> None:
        super().__init__()
        self.net, self.config = net, dict(config)
        self.backbone = Named(origin)
        places = getattr(net.config, "max_position_embeddings", None)  # T5 has none: any number
        self.longest = places if isinstance(places, int) else None

    @property
    def origin(self) -> Origin:
        """Where the weights come from."""
        return self.backbone.origin

    @property
    def tokens(self) -> dict[str, int]:
        """The numbers of "start", "end" and "padding"."""
        said = self.net.config
        end = said.eos_token_id[0] if isinstance(said.eos_token_id, list) else said.eos_token_id
        padding = said.pad_token_id or 0
        start = getattr(said, "decoder_start_token_id", None)
        return {"start": padding if start is None else start, "end": end, "padding": padding}

    def read(self, source: Tensor, lengths: Tensor) -> State:
        """Return what the encoder makes of the source, and what of it counts."""
        source, _, seen = blanked(source, lengths)
        source = source.masked_fill(~seen, self.tokens["padding"])
        h = self.net.get_encoder()(input_ids=source, attention_mask=seen.long()).last_hidden_state
        return {"hidden": h, "seen": seen}

    def write(self, given: Tensor, memory: State) -> Tensor:
        """Return the logits (n, t, vocabulary), all steps at once."""
        return self._run(given, memory).logits

    def begin(self, memory: State) -> State:  # noqa: ARG002 - the shape of all nets of pairs
        """Return that nothing is written yet."""
        return {}

    def step(self, tokens: Tensor, memory: State, state: State) -> tuple[Tensor, State]:
        """Return the logits (n, vocabulary) after one more token, and the keys and values so far.

        The state has four entries a layer of the decoder: key and value of what is written, and of
        the source.
        """
        cache = _cache(state)
        found = self._run(tokens[:, None], memory, past_key_values=cache, use_cache=True)
        return found.logits[:, -1], _state(cache)

    def attention(self, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
        """Return the attention (n, t, s) to the source, the mean over heads and layers."""
        before = self.net.config._attn_implementation
        self.net.set_attn_implementation("eager")  # the fused kernels keep no weights
        try:
            found = self._run(given, self.read(source, lengths), output_attentions=True)
        finally:
            self.net.set_attn_implementation(before)
        weights = torch.stack(list(found.cross_attentions)).mean((0, 2))
        return nn.functional.pad(weights, (0, source.shape[1] - weights.shape[2]))

    def _run(self, given: Tensor, memory: State, **asked: Any) -> Any:
        from transformers.modeling_outputs import BaseModelOutput  # noqa: PLC0415 - optional

        return self.net(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory["hidden"]),
            attention_mask=memory["seen"].long(), decoder_input_ids=given,
            **({"use_cache": False} | asked),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return what `from_record` builds the same architecture from."""
        origin = self.origin
        return {"config": self.config, "origin": {
            "name": origin.name, "licence": origin.licence, "sha256": dict(origin.sha256),
            "notes": list(origin.notes),
        }}  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by name, those that are shared once."""
        held = dict(self.net.named_parameters()) | dict(self.net.named_buffers())
        return {name: part.detach().cpu().numpy().copy() for name, part in held.items()}

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Put in the weights of `arrays`; ModelError where they are not those of this net."""
        held = dict(self.net.named_parameters()) | dict(self.net.named_buffers())
        wrong = [name for name, part in held.items()
                 if name not in arrays or arrays[name].shape != part.shape]  # fmt: skip
        if wrong or len(arrays) != len(held):
            raise ModelError(f"the weights do not fit the net: {listed(wrong or sorted(arrays))}",
                             remedy="train it again")  # fmt: skip
        with torch.no_grad():
            for name, part in held.items():
                part.copy_(torch.from_numpy(np.array(arrays[name])))


_PARTS = ("key", "value", "source key", "source value")  # of a layer, in a state


def _cache(state: State) -> Any:
    """Return a state as `transformers` wants it; its tensors are not copied."""
    from transformers.cache_utils import DynamicCache, EncoderDecoderCache  # noqa: PLC0415

    own, source = DynamicCache(), DynamicCache()
    for layer in range(len(state) // len(_PARTS)):
        key, value, source_key, source_value = (state[f"{layer} {part}"] for part in _PARTS)
        own.update(key, value, layer)
        source.update(source_key, source_value, layer)
    return EncoderDecoderCache(own, source)


def _state(cache: Any) -> State:
    """Return keys and values by name, rows in front."""
    both = zip(_held(cache.self_attention_cache), _held(cache.cross_attention_cache), strict=True)
    return {
        f"{layer} {part}": tensor
        for layer, (own, source) in enumerate(both)
        for part, tensor in zip(_PARTS, (*own, *source), strict=True)
    }


def _held(cache: Any) -> list[tuple[Tensor, Tensor]]:
    if hasattr(cache, "layers"):
        return [(layer.keys, layer.values) for layer in cache.layers]
    return list(zip(cache.key_cache, cache.value_cache, strict=True))  # transformers before 4.54


def open_pairs(name: str | Path) -> tuple[PretrainedPairs, str]:
    """Open a folder, or a name on the hub; returns the net, and its tokenizer.json as text.

    A pickle, a missing tensor, a net that does not translate or a folder without tokenizer.json is
    a ModelError; without the package `transformers` it is a MissingExtraError.
    """
    transformers_package()
    folder = _folder.find(name)
    try:
        config = _folder.read_json(folder, _folder.CONFIG)
        _refuse_kind(config)
        files = _folder.weight_files(folder)
        cutter = _tokeniser(folder)
        net = _load(folder)
        origin = Origin(name=str(name), licence=_folder.licence(folder),
                        sha256={path.name: _folder.sha256(path) for path in files})  # fmt: skip
        record = json.loads(net.config.to_json_string(use_diff=False))
        return PretrainedPairs(net, record, origin).eval(), cutter
    except ModelError as error:
        if not error.where:
            error.at(str(name))
        raise


def from_record(record: Mapping[str, Any]) -> PretrainedPairs:
    """Build the net of `PretrainedPairs.to_json`, its weights still to be put in (`put`)."""
    transformers = transformers_package()
    said = {n: v for n, v in record["config"].items() if n != "transformers_version"}
    config = transformers.AutoConfig.for_model(**said)
    net = transformers.AutoModelForSeq2SeqLM.from_config(config, trust_remote_code=False)
    net.tie_weights()
    origin = Origin(**{**record["origin"], "notes": tuple(record["origin"]["notes"])})
    return PretrainedPairs(net, record["config"], origin).eval()


def _refuse_kind(config: Mapping[str, Any]) -> None:
    """Refuse nets that do not read one text and write another, or want a language's code."""
    kind = str(config.get("model_type", ""))
    if kind in _OF_MANY_LANGUAGES:
        raise ModelError(
            f"a net of many languages ({kind}) wants to be told which, and that is not covered",
            remedy="take one for your two languages, such as Marian (opus-mt), or a T5",
        )
    if not config.get("is_encoder_decoder"):
        raise ModelError(
            f"this net ({kind or 'of an unknown kind'}) does not read one text and write another",
            remedy="take one that does, such as Marian (opus-mt), T5 or BART",
        )


def _tokeniser(folder: Path) -> str:
    path = folder / TOKENISER
    if path.is_file():
        return path.read_text(encoding="utf-8")
    pieces = sorted(p.name for p in folder.glob("*.spm")) + sorted(
        p.name for p in folder.glob("spiece.model"))  # fmt: skip
    raise ModelError(
        f"there is no {TOKENISER}"
        + (f", only {', '.join(pieces)} of sentencepiece" if pieces else ""),
        remedy="take a version of the net whose folder has one; or make it where `transformers` "
        "and `sentencepiece` are installed, by AutoTokenizer.from_pretrained(FOLDER)"
        ".save_pretrained(FOLDER), which writes it for T5 and BART (of Marian there is no "
        f"converter: look for a folder with {TOKENISER})",
    )


def _load(folder: Path) -> Any:
    try:
        with _quiet():
            net, report = transformers_package().AutoModelForSeq2SeqLM.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True,
                dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(
            f"transformers cannot open this net ({reason})",
            remedy="take one that transformers holds itself, with whole weight files",
        ) from error
    missing = [n for n in report["missing_keys"] if not any(part in n for part in _MADE_UP)]
    wrong = [entry[0] for entry in report["mismatched_keys"]]
    for fault, names in {"lack": sorted(missing), "have another shape for": sorted(wrong)}.items():
        if names:
            raise ModelError(
                f"the weights {fault} {len(names)} tensors of the net: {listed(names)}",
                remedy="download the folder again; config.json and weights must belong together",
            )
    return net
