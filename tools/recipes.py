"""Write docs/recipes.md and a page for each recipe from the files in recipes/: `python tools/recipes.py`."""

from __future__ import annotations

from pathlib import Path

import yaml

from windtunnel.catalog import Catalog
from windtunnel.core.canonical import plain
from windtunnel.core.configured import brief
from windtunnel.specs.recipes import TOLD, Preset, load_preset

ROOT = Path(__file__).parents[1]
INDEX, FOLDER = ROOT / "docs" / "recipes.md", ROOT / "docs" / "recipes"

INTRODUCTION = """\
# Recipes

This page and those of the recipes are written by `python tools/recipes.py` from the files in `recipes/`; a test holds them to that.

A recipe is put together from parts: a **scope** (which parameters move), **stages**, a **loss**, **augmentation**, **regularisation**,
**perturbed training**, **weight averaging**, a **selection** of the epoch that is kept and **cleaning** of the training data. Each has its table of
names, with their arguments, in [the reference](reference.md#scopes). A named recipe is a preset: a few lines of YAML that fill some of these places.
A suite uses it by name and overrides whatever it likes:

```yaml
recipes:
  - full
  - {use: full, name: full-focal, loss: {use: focal, gamma: 2}, augment: [flip, mixup]}
  - {use: pgd-at, name: pgd-at-small, eps: 4/255}
  - {use: pgd-at, name: pgd-at-ema, average: ema, perturb: {threat: {steps: 10}}}
  - use: finetune
    name: three-stages
    stages:
      - {scope: head, epochs: 20, lr: 1e-2}
      - {scope: {use: last-blocks, blocks: 1}, epochs: 5}
      - {scope: full, epochs: 5, lr: 1e-4}
```

- A part is a name, or a mapping with `use` and arguments. A mapping **without** `use` changes the part that is there already.
- A stage says what is different in it; everything else is as in the recipe.
- Some recipes give short names to arguments that lie deep, such as `eps`; their pages list them.
- Every effective argument is part of the key of the fine-tuning and shown in the report.
- Parts that cannot be trained on images, or on texts, are refused where the file names them, and so is everything else that does not go together.

From Python:

<!-- runs -->
```python
import windtunnel as wt

recipe = wt.make_recipe("lp-ft", "image", epochs=2, probe_epochs=5, loss={"label_smoothing": 0.1})
victim = wt.finetune("windtunnel/micro-resnet", recipe, "digits", seed=0)
```

[How to add a recipe, or a part of one](extend.md#a-recipe).

"""


def pages() -> dict[Path, str]:
    """Every page with its text."""
    catalog = Catalog(ROOT)
    presets = [load_preset(name, catalog) for name in catalog.names("recipes")]
    rows = [
        f"| [{each.name}](recipes/{each.name}.md) | {each.told['does']} | {' and '.join(f'{kind}s' for kind in each.modalities)} |"
        for each in presets
    ]
    index = INTRODUCTION + "\n".join(["| recipe | what it does | trains on |", "|---|---|---|", *rows]) + "\n"
    return {INDEX: index, **{FOLDER / f"{each.name}.md": page(each) for each in presets}}


def page(preset: Preset) -> str:
    """The page of one recipe."""
    told = preset.told
    lines = [f"# {preset.name}", "", told["does"], ""]
    lines += [f"**When it helps.** {told['helps']}", ""] if "helps" in told else []
    lines += [f"**What it costs.** {told['costs']}", ""] if "costs" in told else []
    lines += [f"**Source.** {told['source']}", ""]
    lines += [f"**Deviations.** {told['deviations']}", ""] if "deviations" in told else []
    lines += [f"Trains on {' and '.join(f'{kind}s' for kind in preset.modalities)}. What `recipes/{preset.name}.yaml` is made of:", ""]
    lines += ["```", _made_of(preset), "```", ""]
    for modality in preset.modalities:
        lines += [f"All its arguments on {modality}s:", "", "```", _arguments(preset, modality), "```", ""]
    if preset.short:
        lines += ["Short names:", "", *(f"- `{name}` is `{'.'.join(path)}`" for name, path in preset.short.items()), ""]
    return "\n".join([*lines, "[All recipes](../recipes.md)"]) + "\n"


def _made_of(preset: Preset) -> str:
    """The file without its sentences."""
    kept, told = [], False
    for line in preset.text.splitlines():
        if line[:1].strip():
            told = line.partition(":")[0] in ("recipe", *TOLD)
        if not told:
            kept.append(line)
    return "\n".join(kept).strip()


def _arguments(preset: Preset, modality: str) -> str:
    return yaml.safe_dump(_readable(brief(plain(preset.made[modality].arguments()))), sort_keys=False, width=120).rstrip()


def _readable(value: object) -> object:
    """Plain data without what was left out: None, and the word `use` where a place takes one kind of thing only."""
    if isinstance(value, dict):
        kept = {key: _readable(each) for key, each in value.items() if each is not None and not (key == "use" and each == "stage")}
        return kept["use"] if set(kept) == {"use"} else kept
    return [_readable(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    print(f"wrote {len(wanted)} pages")
