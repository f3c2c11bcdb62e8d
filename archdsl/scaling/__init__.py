"""How costs grow along a knob, and which value of it has a given cost. Takes a `Variant`; gives points and answers."""

from archdsl.scaling.growth import Curve, Published, curve, published
from archdsl.scaling.knobs import IMAGE, Knob, Point, knob_of
from archdsl.scaling.solve import Answer, solve

__all__ = ["IMAGE", "Answer", "Curve", "Knob", "Point", "Published", "curve", "knob_of", "published", "solve"]
