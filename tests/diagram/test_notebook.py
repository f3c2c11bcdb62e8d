"""What a notebook shows: overview and table, everything escaped, without torch."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

from archdsl import api
from archdsl.source import Source

SPEC = """\
"Of <script>alert(1)</script> & others."
block A = conv(4, 3) -> relu
model Net(n = 4) = image(3, 8, 8) -> stage one: [A(), A()] -> gap -> flatten -> linear(n)
variants Net(n) {
  small: 4
  large: 8
}
"""


def test_a_variant() -> None:
    shown = api.find("resnet18")._repr_html_()
    root = ET.fromstring(shown)
    assert root.find("{http://www.w3.org/2000/svg}svg") is not None
    cells = ["".join(cell.itertext()) for cell in root.iter("td")]
    assert "2 × Basic" in cells
    # torchvision's count (models.csv of its documentation).
    assert "11,689,512" in cells
    assert "<script" not in shown
    assert api.find("resnet18")._repr_svg_().startswith("<svg")


def test_a_file() -> None:
    shown = api.open_source(Source("net.arch", SPEC))._repr_html_()
    root = ET.fromstring(shown)
    assert "Of <script>alert(1)</script> & others." in "".join(root.itertext())
    assert [element for element in root.iter() if element.tag.endswith("script")] == []
    assert [row[0].text for row in root.iter("tr")] == ["variant", "small", "large"]


def test_a_file_of_one_network_shows_it() -> None:
    text = SPEC.replace("  large: 8\n", "")
    assert "<svg" in api.open_source(Source("net.arch", text))._repr_html_()


def test_no_torch() -> None:
    code = "import sys, archdsl; archdsl.find('resnet18')._repr_html_(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
