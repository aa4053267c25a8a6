"""Gradients: what recipes of textattack that follow gradients ask of a victim, asked through its meter. Imports torch and textattack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from textattack.models.wrappers import ModelWrapper
from torch import Tensor, nn

from windtunnel.core.reader import Reader
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError


class Gradients(ModelWrapper):  # type: ignore[misc]  # textattack is not annotated
    """A model wrapper that gives tokens and gradients of one text; answers come from elsewhere.

    Args:
        victim: a language model with its tokenizer.
        like: texts with the fields that will be asked about.
    Raises:
        VictimError: the victim has no tokenizer of ours, so that nothing says which gradient belongs to which word.
    Deviation:
        textattack's own wrapper switches to training mode for the gradient, so that dropout draws; here the victim stays as it is evaluated.
    """

    def __init__(self, victim: Victim, like: Texts) -> None:
        reader = next((part for part in victim.module.modules() if isinstance(part, Reader)), None)
        self._fast: Any = getattr(reader.tokenize, "fast", None) if reader is not None else None
        if reader is None or self._fast is None:
            raise VictimError(
                f"{victim.name} gives no gradient by the words of a text, which this attack follows. "
                "Give a fine-tuned text model or (model, tokenizer) of transformers, or choose an attack that only asks for answers."
            )
        self.model, self.max_length = victim.module, int(reader.tokenize.length)  # type: ignore[attr-defined]  # of a Tokenizer, which has `fast`
        self._victim, self._reader, self._like = victim, reader, like

    def __call__(self, text_input_list: Sequence[Any], **_options: Any) -> Tensor:
        """Logits of texts."""
        return self._victim.logits(self._texts(text_input_list))

    def get_grad(self, text_input: Any) -> dict[str, Any]:
        """Token numbers, (1, token), and the gradient of the loss by their embeddings, (token, feature).

        The loss is the cross-entropy against the class that the victim itself predicts.
        """
        texts = self._texts([text_input])
        ids = torch.tensor([list(self._reader.tokenize(texts)[0]["input_ids"])])
        embedded: list[Tensor] = []

        def catch(_module: nn.Module, given: tuple[Any, ...], output: Tensor) -> Tensor | None:
            if embedded or not given or not torch.equal(given[0].cpu(), ids):
                return None
            embedded.append(output.detach().requires_grad_(True))
            return embedded[0]

        self._victim.refuse_training()
        handles = [part.register_forward_hook(catch) for part in self._reader.modules() if isinstance(part, nn.Embedding)]
        try:
            with torch.enable_grad():
                logits = self._victim.network(texts)
                loss = nn.functional.cross_entropy(logits, logits.argmax(1))
        finally:
            for handle in handles:
                handle.remove()
        if not embedded or not loss.requires_grad:
            raise VictimError(f"{self._victim.name} passes no gradient back to its embedding of words, which this attack follows.")
        slope = torch.autograd.grad(loss, embedded[0])[0]
        self._victim.meter.backward += 1
        return {"ids": ids, "gradient": slope[0].cpu().numpy()}

    def _tokenize(self, inputs: Sequence[Any]) -> list[list[str]]:
        return [self._fast.convert_ids_to_tokens(list(tokens["input_ids"])) for tokens in self._reader.tokenize(self._texts(inputs))]

    def _texts(self, inputs: Sequence[Any]) -> Texts:
        rows = tuple((each,) if isinstance(each, str) else tuple(each) for each in inputs)
        return Texts(rows, self._like.fields, self._like.open)
