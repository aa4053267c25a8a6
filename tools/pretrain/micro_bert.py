"""Pre-train windtunnel/micro-bert: a small BERT that restores hidden words.

    python tools/pretrain/micro_bert.py --archive vaderSentiment-3.3.2.tar.gz --out FOLDER

Writes a folder that transformers loads (config.json, vocab.txt, tokenizer_config.json, model.safetensors in half precision), and beside it
FOLDER.json (the arguments and the losses) and FOLDER.pt, from which an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from masking import Ids, Vocabulary, mask_words
from prose import PARTS_OF_SPEECH, WORDNET, domain_sentences, wordnet_lines
from rich.progress import track
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertForPreTraining
from vectors import count_pairs, factorise

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LENGTH = 128  # tokens of the longest input; longer lines are cut
POOL = 32  # batches whose lines are drawn together and sorted by length, so that little of a batch is padding
LOGGED = 250  # steps between two lines of the log, each with a state to go on from


@dataclass(frozen=True)
class Corpus:
    """Encoded lines of one source, each with [CLS] and [SEP], and its share of all draws."""

    lines: Sequence[Sequence[int]]
    share: float


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archive", type=Path, required=True, help="the source distribution of vaderSentiment 3.3.2")
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="folder of WordNet's data files")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--steps", type=int, default=5000, help="the last fifth cools down; before that, more can be asked of a run that goes on")
    parser.add_argument("--batch", type=int, default=128, help="lines of a batch")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate between warm-up and cool-down")
    parser.add_argument("--decay", type=float, default=0.01, help="weight decay")
    parser.add_argument("--shares", type=float, nargs=3, default=(0.5, 0.35, 0.15), metavar=("DOMAINS", "OTHERS", "NOUNS"))
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--vocabulary", type=int, default=8000, help="tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def read_texts(options: argparse.Namespace) -> list[list[str]]:
    """Return the lines of the three sources: the domains, WordNet without its nouns, and its nouns."""
    glosses = {part: list(wordnet_lines(options.wordnet, part)) for part in PARTS_OF_SPEECH}
    nouns = glosses.pop("noun")
    return [domain_sentences(options.archive), [line for lines in glosses.values() for line in lines], nouns]


def make_tokenizer(texts: Sequence[Sequence[str]], options: argparse.Namespace) -> BertWordPieceTokenizer:
    """Train WordPiece on all lines, those of the domains three times over, as they are few; or take the one of an earlier start."""
    vocabulary = options.out / "vocab.txt"
    if not vocabulary.exists():
        tokenizer = BertWordPieceTokenizer(lowercase=True)
        lines = (line for part in [texts[0], texts[0], *texts] for line in part)
        tokenizer.train_from_iterator(lines, vocab_size=options.vocabulary, special_tokens=list(SPECIAL), show_progress=False)
        tokenizer.save_model(str(options.out))
    tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    tokenizer.enable_truncation(LENGTH)
    return tokenizer


def describe(tokenizer: BertWordPieceTokenizer) -> Vocabulary:
    """Return what masking needs to know of the tokens."""
    names = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    special, continues = [name in SPECIAL for name in names], [name.startswith("##") for name in names]
    return Vocabulary(len(names), names.index("[MASK]"), np.array(special), np.array(continues))


def build(corpora: Sequence[Corpus], vocabulary: Vocabulary, options: argparse.Namespace) -> BertForPreTraining:
    """Build the network at random, but for the embeddings of tokens, which start as vectors from counts."""
    torch.manual_seed(options.seed)
    config = BertConfig(
        vocab_size=vocabulary.size, hidden_size=options.width, num_hidden_layers=options.layers, num_attention_heads=options.width // 32,
        intermediate_size=4 * options.width, max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    net = BertForPreTraining(config)
    counts = sum(count_pairs([line[1:-1] for line in corpus.lines], vocabulary.size) * (corpus.share / len(corpus.lines)) for corpus in corpora)
    vectors = torch.from_numpy(factorise(counts, options.width, options.seed))
    known = vectors.norm(dim=1) > 0
    with torch.no_grad():
        net.bert.embeddings.word_embeddings.weight[known] = vectors[known]
    return net.train()


def draw_batch(corpora: Sequence[Corpus], step: int, options: argparse.Namespace) -> Ids:
    """Return one batch (line, token), padded with zeros; it depends on the seed and the step alone."""
    pool, place = divmod(step, POOL)
    rng = np.random.default_rng((options.seed, pool))
    sources = rng.choice(len(corpora), size=POOL * options.batch, p=[corpus.share for corpus in corpora])
    drawn = sorted((corpora[source].lines[rng.integers(len(corpora[source].lines))] for source in sources), key=len)
    start = int(rng.permutation(POOL)[place]) * options.batch
    lines = drawn[start : start + options.batch]
    ids = np.zeros((len(lines), len(lines[-1])), dtype=np.int64)
    for row, line in zip(ids, lines, strict=True):
        row[: len(line)] = line
    return ids


def losses_of(net: BertForPreTraining, ids: Ids, vocabulary: Vocabulary, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return two cross-entropies of the hidden tokens: of each from its own place, and of all in a line from its pooled vector.

    The second gives the pooled vector a meaning, which masked language modelling alone leaves as random as it started.
    """
    shown, hidden = mask_words(ids, vocabulary, rng)
    output = net.bert(torch.from_numpy(shown), attention_mask=torch.from_numpy(ids > 0).long())
    places, targets = torch.from_numpy(hidden), torch.from_numpy(ids)
    local = F.cross_entropy(net.cls.predictions(output.last_hidden_state[places]), targets[places])
    guesses = F.log_softmax(net.cls.predictions(output.pooler_output), dim=1)
    return local, -guesses.gather(1, targets)[places].mean()


def rate_factor(step: int, steps: int) -> float:
    """Return the share of the learning rate: 300 steps up, level, and straight down to 0 over the last fifth."""
    return min((step + 1) / 300, 1.0, (steps - step) / (0.2 * steps))


@dataclass
class Run:
    """A network in training, which can be left at a step and taken up again."""

    net: BertForPreTraining
    optimiser: torch.optim.Optimizer
    log: list[dict[str, float]]

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on."""
        torch.save({"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "log": self.log}, path)

    def restore(self, path: Path) -> int:
        """Take up what `save` wrote, if anything; return the steps already done."""
        if not path.exists():
            return 0
        kept = torch.load(path, weights_only=True)
        self.net.load_state_dict(kept["net"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.log = kept["log"]
        return int(self.log[-1]["step"])


def train(run: Run, corpora: Sequence[Corpus], vocabulary: Vocabulary, options: argparse.Namespace) -> None:
    """Train with AdamW, logging the mean of both losses."""
    state = options.out.with_suffix(".pt")
    sums = np.zeros(2)
    for step in track(range(run.restore(state), options.steps), "pre-training"):
        rng = np.random.default_rng((options.seed, 1, step))
        losses = losses_of(run.net, draw_batch(corpora, step, options), vocabulary, rng)
        run.optimiser.param_groups[0]["lr"] = options.rate * rate_factor(step, options.steps)
        run.optimiser.zero_grad()
        (losses[0] + losses[1]).backward()
        nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
        run.optimiser.step()
        sums += [loss.item() for loss in losses]
        if (step + 1) % LOGGED == 0:
            run.log.append({"step": step + 1, "local": round(float(sums[0]) / LOGGED, 4), "pooled": round(float(sums[1]) / LOGGED, 4)})
            print(run.log[-1], flush=True)
            sums[:] = 0
            run.save(state)


def save(net: BertForPreTraining, options: argparse.Namespace) -> None:
    """Write the encoder in half precision, and what tells transformers how to load it: with dropout, for it will be fine-tuned."""
    config = BertConfig.from_dict(net.config.to_dict() | {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1})
    config.save_pretrained(options.out)
    tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": LENGTH}
    (options.out / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2) + "\n")
    path = options.out / "model.safetensors"
    save_file({key: value.detach().half().contiguous() for key, value in net.bert.state_dict().items()}, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors leaves the file readable by its owner alone, and so would the wheel


def main() -> None:
    """Read the texts, train the vocabulary and the network, write the model."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    texts = read_texts(options)
    tokenizer = make_tokenizer(texts, options)
    corpora = [Corpus([code.ids for code in tokenizer.encode_batch(lines)], share) for lines, share in zip(texts, options.shares, strict=True)]
    vocabulary = describe(tokenizer)
    net = build(corpora, vocabulary, options)
    run = Run(net, torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=options.decay, betas=(0.9, 0.98)), [])
    train(run, corpora, vocabulary, options)
    save(net, options)
    arguments = {key: value for key, value in vars(options).items() if key not in ("archive", "wordnet", "out")}
    lines = dict(zip(("domains", "others", "nouns"), map(len, texts), strict=True))
    options.out.with_suffix(".json").write_text(json.dumps({"arguments": arguments, "lines": lines, "log": run.log}, indent=2) + "\n")


if __name__ == "__main__":
    main()
