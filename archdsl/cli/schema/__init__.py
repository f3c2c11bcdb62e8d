"""What `--json` prints: one document for a run, described for readers in docs/json.md. A module for each group of
commands; what several share, the envelope too, is in `common`.

Keys are only ever added; a change of any other kind raises `common.VERSION`. Sizes are those of one sample, without the
batch, in torch's order; parameters are the trainable ones; MACs are for one sample.
"""
