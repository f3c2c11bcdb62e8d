"""Names that mean something in generated Python or in every torch module, so that a spec cannot give them.

torch is not imported here: the lists are frozen, and tests compare them with the torch that is installed and with the
code that archdsl writes.
"""

from __future__ import annotations

import keyword

PYTHON_NAMES = frozenset(
    """
    F NamedTuple OrderedDict Tensor ValueError abs bool dict enumerate float fnmatchcase getattr int isinstance len list
    math max min nn range round self str sum super torch tuple zip
    """.split()
)
"""What generated source needs for itself. Python's other names (`type`) a spec may give: nothing asks for them."""

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


def python_problem(name: str) -> str | None:
    """Why a name of a spec cannot be a name in generated Python; None if it can."""
    if keyword.iskeyword(name):
        return f"`{name}` is a word of Python's grammar: choose another name"
    if name in PYTHON_NAMES:
        return f"generated source needs `{name}` for itself: choose another name"
    if name.startswith("__"):
        return "Python keeps names that begin with two underscores for itself: choose another name"
    return None
