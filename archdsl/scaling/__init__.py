"""How costs grow along a knob, and which value of it has a given cost. Takes a `Variant`; gives points and answers."""

from archdsl.scaling.growth import Curve, PublishedPoint, curve, published
from archdsl.scaling.knobs import IMAGE, Knob, KnobPoint, knob_of
from archdsl.scaling.solve import Answer, solve

__all__ = ["IMAGE", "Answer", "Curve", "Knob", "KnobPoint", "PublishedPoint", "curve", "knob_of", "published", "solve"]
