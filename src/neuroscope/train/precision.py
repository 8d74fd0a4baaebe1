"""Where and how finely a net computes: device, precision, layout and threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from neuroscope.base import randomness, settings
from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.train.data import Inputs

# Forward operations of a batch from which bfloat16 pays on a processor that has it, by the layer
# that costs bfloat16 most in switching; measured by benchmarks/precision_rule.py.
PAYS_FROM = {
    "attention": 6e8,
    "written attention": 5e7,
    "recurrent": 1e8,
    "convolution": 2e7,
    "dense": 2e7,
}
# The same on a GPU (an H200), where below that starting the kernels costs more than their work.
PAYS_ON_CUDA = {
    "attention": 1e11,
    "written attention": 1e11,
    "recurrent": 1.5e9,
    "convolution": 1e10,
    "dense": 3e10,
}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}
_ONE_AT_A_TIME = threading.RLock()  # dropout draws from torch's global generator


def device_of(recipe: Recipe) -> torch.device:
    """Return the device the recipe asks for; "auto" is CUDA, else Apple's GPU, else the CPU."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    name = recipe.device
    if name == "auto":
        name = next(known for known, found in there.items() if found)
    if not there[name]:
        raise RecipeError(f"the device {name!r} is not there", remedy="set device to auto")
    if name == "mps" and recipe.precision != "float32":
        raise RecipeError(f"{recipe.precision} does not run on Apple GPUs",
                          remedy="set precision to float32 or device to cpu")  # fmt: skip
    return (
        torch.device(name, torch.cuda.current_device() if name == "cuda" else 0)
        if (name != "cpu")
        else torch.device("cpu")
    )


def has_bfloat16() -> bool:
    """Say whether this processor multiplies bfloat16 numbers itself (AVX512-BF16 or AMX)."""
    flags = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, flag, bool)() for flag in flags)


def choose_precision(net: nn.Module, inputs: Inputs, recipe: Recipe) -> Recipe:
    """Return the recipe with the precision that is fastest for this net, and the reason.

    `inputs` are those of one batch as the net reads them, on the net's device. The choice follows
    from counted operations and the processor's flags, never from the clock, so that a seed repeats.
    """
    device = device_of(recipe)
    if device.type == "mps":
        return recipe.because("Apple GPUs are trained in float32", precision="float32")
    if device.type == "cuda":
        there, pays, where = torch.cuda.is_bf16_supported(), PAYS_ON_CUDA, "this GPU"
    else:
        there, pays, where = has_bfloat16(), PAYS_FROM, "this processor"
    if not there:
        return recipe.because(f"{where} has no bfloat16 arithmetic", precision="float32")
    kind, flops = kind_of(net), forward_flops(net, inputs)
    reason = (
        f"{flops / 1e6:,.0f} million operations a batch forward; with {kind} layers bfloat16 pays "
        f"from {pays[kind] / 1e6:,.0f} million on {where}"
    )
    return recipe.because(reason, precision="bfloat16" if flops >= pays[kind] else "float32")


def kind_of(net: nn.Module) -> str:
    """Return the kind of layer that decides whether bfloat16 pays: the key of PAYS_FROM."""
    if any(getattr(module, "written_out", False) for module in net.modules()):
        return "written attention"  # without torch's fused kernel, which is slow in bfloat16
    names = {type(module).__name__.lower() for module in net.modules()}
    if any("attention" in name or "transformer" in name for name in names):
        return "attention"
    if any(isinstance(module, nn.RNNBase) for module in net.modules()):
        return "recurrent"
    return "convolution" if convolves(net) else "dense"


def weights_dtype(recipe: Recipe) -> torch.dtype:
    """Return the type of the weights; with bfloat16 arithmetic the masters stay float32."""
    return _DTYPES[recipe.precision]


def autocast(recipe: Recipe, device: torch.device) -> torch.autocast:
    """Return the context of the forward pass."""
    return torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16")


def convolves(net: nn.Module) -> bool:
    """Say whether a net convolves pictures, so that its layout is channels_last."""
    return any(isinstance(module, nn.Conv2d) for module in net.modules())


def place(net: nn.Module, recipe: Recipe, device: torch.device) -> None:
    """Move a net to its device, type and layout, in place."""
    net.to(device=device, dtype=weights_dtype(recipe))
    if convolves(net):
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def forward_flops(net: nn.Module, inputs: Inputs) -> int:
    """Return the floating-point operations of one forward pass of these inputs.

    Convolutions and matrix products are counted as they run; recurrent layers, whose kernels the
    counter does not see, as two a weight and position.
    """
    modes = {module: module.training for module in net.modules()}
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # fused kernels are not counted
    net.eval()
    try:
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            seen = _recurrent_flops(net, inputs)
        return counter.get_total_flops() + seen
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, training in modes.items():
            module.training = training


def _recurrent_flops(net: nn.Module, inputs: Inputs) -> int:
    """Run a net and return the operations of its recurrent layers."""
    found: list[int] = []

    def count(layer: nn.Module, given: tuple, _: object) -> None:
        positions = given[0].data.numel() // given[0].data.shape[-1]
        found.append(sum(2 * p.numel() * positions for p in layer.parameters() if p.ndim == 2))

    layers = [module for module in net.modules() if isinstance(module, nn.RNNBase)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        net(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(found)


@contextlib.contextmanager
def workplace(recipe: Recipe, device: torch.device, threads: int | None) -> Iterator[None]:
    """Fix threads and random numbers for a fit, and put back what was there before.

    Dropout draws from torch's global generators. They are forked, so that the caller's go on as if
    nothing had been, and begin from the recipe's seed.
    """
    with _ONE_AT_A_TIME:
        before = torch.get_num_threads()
        tf32 = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        torch.set_num_threads(threads or settings.cores())
        if device.type == "cuda" and recipe.precision == "bfloat16":
            torch.set_float32_matmul_precision("high")  # TF32 where autocast leaves float32
        torch.backends.cudnn.allow_tf32 = recipe.precision == "bfloat16"
        devices = [device.index] if device.type == "cuda" else []
        try:
            with torch.random.fork_rng(devices):
                torch.manual_seed(randomness.integer(recipe.seed, "dropout"))
                yield
        finally:
            torch.set_num_threads(before)
            torch.set_float32_matmul_precision(tf32[0])
            torch.backends.cudnn.allow_tf32 = tf32[1]
