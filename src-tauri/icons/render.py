"""Renders icon.svg to the sizes the bundles want. Needs Chromium; run it after changing the drawing: python3 render.py"""
import pathlib, struct, subprocess, tempfile

here = pathlib.Path(__file__).parent
drawing = (here / "icon.svg").read_text()


def png(size):
    with tempfile.TemporaryDirectory() as scratch:
        page = pathlib.Path(scratch) / "icon.html"
        page.write_text("<style>body{margin:0}svg{display:block;width:%dpx;height:%dpx}</style>%s" % (size, size, drawing))
        out = pathlib.Path(scratch) / "icon.png"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--default-background-color=00000000",
             f"--window-size={size},{size}", f"--screenshot={out}", page.as_uri()],
            check=True, stderr=subprocess.DEVNULL)
        return out.read_bytes()


for name, size in {"32x32": 32, "128x128": 128, "128x128@2x": 256, "icon": 512}.items():
    (here / f"{name}.png").write_bytes(png(size))

# An .ico holding one PNG: directory (reserved, type, count), entry (256 is written as 0), image.
image = (here / "128x128@2x.png").read_bytes()
entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(image), 22)
(here / "icon.ico").write_bytes(struct.pack("<HHH", 0, 1, 1) + entry + image)
