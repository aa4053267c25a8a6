"""Fine-tuning a language model by the recipe `full`, against `transformers.Trainer` on the same settings. Imports torch and transformers."""

from __future__ import annotations

import contextlib
import io
import tempfile
from typing import Any

import numpy as np
import torch

from perf.bare import CHUNK
from perf.material import SEED, finetuning, settle, supervised
from perf.report import Figure, Section
from perf.timing import Job, interleave, ratio
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.core.recipe import Finetuning
from windtunnel.datasets.sentiment import Sentiment
from windtunnel.datasets.splitting import stratified_subset
from windtunnel.models.language import FOLDERS
from windtunnel.recipes.supervised import Supervised

NETWORK = "windtunnel/minilm-l6"
TRAIN, VAL, EPOCHS, ROUNDS = 1000, 300, 2, 3

TEXT = """\
The recipe `full` on {network} as it comes for texts (AdamW, lr {lr:g}, batches of {batch}, a cosine after a linear warm-up over {warmup:.0%} of
the steps, weight decay {decay:g}), {epochs} epochs on {train} movie snippets of `sentiment-4`, accuracy on {val} others after each epoch, against
`transformers.Trainer` with the same settings, `train_sampling_strategy="group_by_length"` and evaluation after each epoch; it keeps no
checkpoint, while the recipe keeps its best and last state. Both start from the same weights, tokenise inside the clock, pad each batch to its
longest text, and run on one thread. {rounds} interleaved rounds. Accuracy on {test} test snippets: {ours:.1%} (recipe) and {theirs:.1%} (`Trainer`).
"""


def measure(rounds: int = ROUNDS) -> Section:
    """Samples per second of both."""
    settle()
    data = material()
    recipe = supervised("full", "text", epochs=EPOCHS)
    left: dict[str, float] = {}

    def ours(work: Finetuning) -> None:
        network = recipe.finetune(work).network
        left["ours"] = accuracy(network, data["test"]) if "ours" not in left else left["ours"]

    def theirs(trainer: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints figures that nobody asked for
            trainer.train()
        if "theirs" not in left:
            found = trainer.predict(_Tokens(trainer.processing_class, data["test"]))  # in an order of its own
            left["theirs"] = float((found.predictions.argmax(1) == found.label_ids).mean())

    # The unmeasured first round is the one that looks at the test split.
    found = interleave([Job("ours", ours, lambda: finetuning(NETWORK, data)), Job("theirs", theirs, lambda: trainer(recipe, data))], rounds)
    faster = ratio(found["theirs"], found["ours"])
    rates = {name: TRAIN * EPOCHS / times.median for name, times in found.items()}
    measured = (
        f"{faster.medians:.2f} times ({faster.low:.2f} to {faster.high:.2f}): {rates['ours']:.0f} against {rates['theirs']:.0f} samples a second, "
        f"validation included; accuracy {left['ours']:.1%} and {left['theirs']:.1%}"
    )
    figure = Figure("fine-tuning minilm-l6: samples per second, over those of transformers.Trainer", "at least 1", measured, faster.medians >= 1)
    text = TEXT.format(
        network=NETWORK,
        lr=recipe.lr,
        batch=recipe.batch,
        warmup=recipe.warmup,
        decay=recipe.weight_decay,
        epochs=EPOCHS,
        train=TRAIN,
        val=VAL,
        test=len(data["test"]),
        rounds=rounds,
        **left,
    )
    return Section("finetuning", (figure,), text)


def material() -> Splits:
    """Movie snippets, few enough for a measurement."""
    whole = Sentiment(domain="movie").load()
    sizes = {"train": TRAIN, "val": VAL, "test": min(2000, len(whole["test"]))}
    parts = {name: whole[name].take(stratified_subset(whole[name].labels, whole[name].ids, size, SEED)) for name, size in sizes.items()}
    return Splits(whole.name, parts, whole.fingerprint, whole.audit)


@torch.no_grad()
def accuracy(network: torch.nn.Module, data: Dataset) -> float:
    """Share of `data` that a network in evaluation mode classifies rightly."""
    pieces = (data.batch(range(start, min(start + CHUNK, len(data)))) for start in range(0, len(data), CHUNK))
    return sum(int((network(piece.inputs).argmax(1) == piece.labels).sum()) for piece in pieces) / len(data)


class _Tokens(torch.utils.data.Dataset[dict[str, Any]]):
    """Tokens and labels, as `Trainer` wants them."""

    def __init__(self, tokenizer: Any, data: Dataset) -> None:
        texts = [row[0] for row in data.texts()]
        self.tokens = tokenizer(texts, truncation=True)
        self.labels = data.labels.tolist()
        self.length = [len(row) for row in self.tokens["input_ids"]]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {**{name: values[row] for name, values in self.tokens.items()}, "labels": self.labels[row]}


def trainer(recipe: Supervised, data: Splits) -> Any:
    """A `transformers.Trainer` that does what the recipe does."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    folder = str(FOLDERS["minilm-l6"]())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(SEED)
    network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.float32)
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(prefix="windtunnel-trainer-"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch,
        per_device_eval_batch_size=256,
        learning_rate=recipe.lr,
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
        use_cpu=True,
        max_grad_norm=0.0,
    )

    class Lazy(Trainer):  # type: ignore[misc]  # transformers is not annotated
        """Tokenises when it begins to train, as the recipe does."""

        def train(self, *given: Any, **named: Any) -> Any:
            self.train_dataset, self.eval_dataset = (_Tokens(tokenizer, data[name]) for name in ("train", "val"))
            return super().train(*given, **named)

    return Lazy(
        model=network,
        args=arguments,
        train_dataset=_Tokens(tokenizer, data["val"]),
        eval_dataset=_Tokens(tokenizer, data["val"]),
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=lambda found: {"accuracy": float((np.argmax(found.predictions, 1) == found.label_ids).mean())},
    )
