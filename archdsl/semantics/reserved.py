"""Names that a spec cannot use, because they mean something in generated Python or in every torch module.

torch is not imported here: the lists are frozen, and a test compares them with the torch that is installed.
"""

from __future__ import annotations

import keyword

from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS

RESERVED = frozenset({"image", "id", "concat", "add", "mul"})
"""Words of the language that a definition cannot take."""

PYTHON_NAMES = frozenset(keyword.kwlist) | {
    "self", "super", "range", "list", "tuple", "dict", "float", "bool", "str", "math", "torch", "nn", "F", "Tensor",
    "OrderedDict", "int", "round", "abs", "min", "max", "sum", "len",
}  # fmt: skip
"""Names that generated source needs for itself."""

MODULE_ATTRIBUTES = frozenset(
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile cpu cuda double
    dump_patches eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half insert
    ipu items keys load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
    pop register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train
    training type update values xpu zero_grad
    _apply _backward_hooks _backward_pre_hooks _buffers _call_impl _compiled_call_impl _forward_hooks
    _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks _forward_pre_hooks_with_kwargs
    _get_backward_hooks _get_backward_pre_hooks _get_item_by_idx _get_name _is_full_backward_hook _load_from_state_dict
    _load_state_dict_post_hooks _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook
    _replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks _state_dict_pre_hooks _version
    _wrapped_call_impl
    """.split()
)
"""What `nn.Module`, `nn.Sequential` and `nn.ModuleDict` have: a layer of that name would hide it, or be hidden."""

MAX_LABEL = 200
MAX_COMPONENTS = 20


def is_reserved_definition(name: str) -> bool:
    """Whether a block, fn, table, scaling or model cannot have this name."""
    return name in OPS or name in BUILTINS or name in RESERVED or name in PYTHON_NAMES


def is_reserved_binding(name: str) -> bool:
    """Whether a parameter, an input or a binding cannot have this name. It may hide an op: `dropout = 0.2`."""
    # Generated classes take the width of their input under that name.
    return name in ("image", "id", "in_channels") or name in PYTHON_NAMES


def output_problem(name: str) -> str | None:
    """Why an output cannot have this name, which becomes a field of a named tuple; None if it can."""
    if name == "logits":
        return "`logits` is the result of the model: write it as the last expression of the body"
    if not (name.isidentifier() and name.isascii()) or len(name) > MAX_LABEL:
        return f"an output has letters, digits and `_`, at most {MAX_LABEL}, and a letter in front: `output p{{i}} = x`"
    if name.startswith("_"):
        return "a field of a named tuple cannot begin with `_`"
    if name in ("count", "index"):
        return f"every tuple has a method `{name}`: choose another name"
    if keyword.iskeyword(name):
        return f"`{name}` is a word of Python's grammar: choose another name"
    if name in PYTHON_NAMES:
        return f"generated source needs `{name}` for itself: choose another name"
    return None


def label_problem(text: str) -> str | None:
    """Why a well-formed label cannot be one; None if it can."""
    parts = text.split(".")
    if len(text) > MAX_LABEL or len(parts) > MAX_COMPONENTS:
        return f"a label has at most {MAX_LABEL} characters and {MAX_COMPONENTS} components"
    for part in parts:
        if part in MODULE_ATTRIBUTES:
            return f"every torch module has an attribute `{part}`: choose another label"
        if keyword.iskeyword(part):
            return f"`{part}` is a word of Python's grammar: choose another label"
        if part.startswith("__") and part.endswith("__"):
            return f"Python keeps names such as `{part}` for itself: choose another label"
    return None
