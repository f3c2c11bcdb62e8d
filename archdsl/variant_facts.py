"""What a spec says of one of its variants: published figures, init rules, key maps, references, recipes, preprocessing.

Takes the `Spec`, the `Configured` variant and, where an answer depends on it, the graph. `Variant` inherits it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import errors_raised
from archdsl.graph.ir import Graph
from archdsl.graph.keymap import KeyMap
from archdsl.graph.reference import Reference
from archdsl.semantics.checkpoints import keymaps_of
from archdsl.semantics.claims import recorded_claims
from archdsl.semantics.published import own_classes
from archdsl.semantics.references import references_of
from archdsl.semantics.settings import init_rules, needed_preprocess, preprocess_of
from archdsl.semantics.variants import Configured
from archdsl.spec import Spec
from archdsl.transform import Transform, transform_of

if TYPE_CHECKING:
    from archdsl.graph.recipe import Recipe
    from archdsl.graph.settings import InitRule, Preprocess


class VariantFacts(ABC):
    """What the spec says of a variant. Errors are raised as ArchError when it is asked."""

    file: Spec
    configured: Configured

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def graph(self) -> Graph: ...

    @property
    @abstractmethod
    def whole(self) -> VariantFacts: ...

    @property
    def _as_written(self) -> bool:
        """Whether this is the network that the file names so: whole, and with its own arguments."""
        return self.whole is self and self.file.variants.get(self.name) is self.configured

    @property
    def published(self) -> Mapping[str, Decimal]:
        """Published figures that the graph cannot show, from `expect`: `{"top1": 76.13}`, in percent.

        None where parameters were overridden: what was published is said of the network as it stands in the file.
        """
        return recorded_claims(self.file.program, self.name) if self._as_written else {}

    @property
    def initializers(self) -> Mapping[str, InitRule]:
        """The `init` rule for each state_dict key that one is about; raises ArchError."""
        from archdsl.graph.settings import assign_initializers

        return assign_initializers(self._init_rules(self.graph), self.graph)

    def _init_rules(self, graph: Graph) -> tuple[InitRule, ...]:
        """The `init` rules of its file for a graph of this variant, the most specific last; raises ArchError."""
        with errors_raised() as bag:
            return init_rules(self.file.program, self.configured, graph, bag)

    @cached_property
    def keymaps(self) -> Mapping[str, KeyMap]:
        """How other libraries name the weights: the `checkpoint` items for this variant, by name; raises ArchError."""
        with errors_raised() as bag:
            return keymaps_of(self.file.program, self.configured, bag)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The models of libraries that this variant is said to equal; none with other arguments; raises ArchError."""
        return self.compared if self._as_written else ()

    @cached_property
    def compared(self) -> tuple[Reference, ...]:
        """`references`, of the variant as the file has it, whatever was set of its parameters; raises ArchError."""
        written = self.file.variants.get(self.name)
        if written is None:
            return ()
        with errors_raised() as bag:
            return references_of(self.file.program, written, bag)

    @property
    def classes(self) -> int | None:
        """The value of the model's parameter of this name; None where there is none, or it is no number."""
        return own_classes(self.configured)

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """How it is trained: the recipes of its file that are for it, what it amends or its model, or for any network;
        what is said of the nearest comes first. Raises ArchError."""
        from archdsl.semantics.recipes import recipes_for

        return recipes_for(self.configured.lineage, self.file.recipes)

    @property
    def refused(self) -> tuple[str, ...]:
        """What of another library has this name and does not load, and why; raises ArchError."""
        return tuple(
            f"{reference.library}'s {reference.model} does not load here: {' '.join(reference.reason.split())}"
            for reference in self.references
            if reference.refuses
        )

    @property
    def pictures(self) -> Preprocess | None:
        """What the spec says about the pictures of this network; None where it says nothing. Raises ArchError."""
        with errors_raised() as bag:
            return preprocess_of(self.file.program, self.configured, bag, self.graph)

    @cached_property
    def preprocess(self) -> Preprocess:
        """What the spec says about the pictures; raises ArchError E609 if nothing, or its own errors."""
        with errors_raised() as bag:
            settings = needed_preprocess(self.file.program, self.configured, bag, self.graph)
        assert settings is not None
        return settings

    @property
    def transform(self) -> Transform:
        """`preprocess` as a callable: from pictures (Pillow's, or uint8 pixels) to the input. Raises ArchError."""
        shape = self.graph.input_shape
        return transform_of(self.preprocess, (shape.height, shape.width), shape.channels)
