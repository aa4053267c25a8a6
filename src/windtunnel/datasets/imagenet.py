"""ImageNet and its kin from disk: the validation images, their natural shifts, and corrupted copies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.classes import EITHER, imagenet_ids
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, ImageStore
from windtunnel.datasets import files, pictures
from windtunnel.datasets.stored import Stored, class_folders, pictures_in
from windtunnel.errors import DataError, suggest

Side = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNet(Stored):
    """ImageNet's 50,000 validation images, a folder for each WordNet id.

    Args:
        size: side of the square that is cut from the middle.
        resize: length that the shorter side is brought to before (bicubic, antialiased).
        path: the set's folder; `imagenet/val` below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        partial: accept a copy that lacks classes or files; its numbers are not those of the published set.
    Source:
        Russakovsky et al. 2015, arXiv 1409.0575.
    """

    use: ClassVar[str] = "imagenet"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "timm")
    folder: ClassVar[str] = "imagenet/val"
    remedy: ClassVar[str] = "Get the validation images of ILSVRC2012 from image-net.org, sorted into folders by WordNet id."
    count: ClassVar[int] = 1000

    size: Side = 224
    resize: Side = 256

    def read(self) -> tuple[Dataset, list[int]]:
        """Every image of every class folder."""
        named = self.classes()
        order = tuple(sorted(named))
        paths, labels = [], []
        for label, name in enumerate(order):
            found = [path for folder in named[name] for path in self.listed(folder)]
            if not found:
                raise DataError(f"The class folder {named[name][0]} of {self.use} holds no image. {self.remedy}")
            paths += found
            labels += [label] * len(found)
        ids = [files.relative_name(self.root, path) for path in paths]
        return self.dataset(order, ids, labels, self.store(paths)), [path.stat().st_size for path in paths]

    def listed(self, place: Path) -> list[Path]:
        """The files of one class folder that hold an image each."""
        return list(pictures_in(place))

    def store(self, paths: Sequence[Path]) -> ImageStore:
        """The images of the files, decoded when they are asked for."""
        return pictures.of_files(paths, self.size, 3, resize=self.resize)

    def classes(self) -> Mapping[str, list[Path]]:
        """The class of the victim that each folder holds images of, as the victim names it."""
        return self._checked(dict(self._folders(class_folders(self.root))))

    def _folders(self, found: Mapping[str, Path]) -> Iterator[tuple[str, list[Path]]]:
        known = set(imagenet_ids())
        for name, folder in found.items():
            if name not in known:
                raise DataError(f"{folder} is no class of ImageNet; expected folders named by WordNet ids such as n01440764. {self.remedy}")
            yield name, [folder]

    def _checked(self, found: Mapping[str, list[Path]]) -> Mapping[str, list[Path]]:
        if len(found) != self.count:
            self.incomplete(f"{len(found)} classes", f"{self.count}")
        if not found:
            raise DataError(f"{self.root} holds no class folder. {self.remedy}")
        return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetV2(ImageNet):
    """ImageNet-V2, matched frequency: 10,000 new images of the same classes, in folders numbered 0 to 999.

    Args:
        size, resize, path, partial: as of `imagenet`; the folder is `imagenet-v2`.
    Source:
        Recht et al. 2019, arXiv 1902.10811.
    """

    use: ClassVar[str] = "imagenet-v2"
    folder: ClassVar[str] = "imagenet-v2"
    remedy: ClassVar[str] = "Get imagenetv2-matched-frequency from the authors (github.com/modestyachts/ImageNetV2)."

    def _folders(self, found: Mapping[str, Path]) -> Iterator[tuple[str, list[Path]]]:
        known = imagenet_ids()
        for name, folder in found.items():
            if not (name.isdigit() and int(name) < len(known)):
                raise DataError(f"{folder} is no class of ImageNet-V2; expected folders numbered 0 to 999. {self.remedy}")
            yield known[int(name)], [folder]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetA(ImageNet):
    """ImageNet-A: 7,500 images of 200 classes that a ResNet-50 gets wrong. Only these classes compete.

    Args:
        size, resize, path, partial: as of `imagenet`; the folder is `imagenet-a`.
    Source:
        Hendrycks et al. 2021, arXiv 1907.07174.
    """

    use: ClassVar[str] = "imagenet-a"
    folder: ClassVar[str] = "imagenet-a"
    remedy: ClassVar[str] = "Get it from the authors (github.com/hendrycks/natural-adv-examples)."
    count: ClassVar[int] = 200


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetR(ImageNet):
    """ImageNet-R: 30,000 renditions (art, cartoons, toys, ...) of 200 classes. Only these classes compete.

    Args:
        size, resize, path, partial: as of `imagenet`; the folder is `imagenet-r`.
    Source:
        Hendrycks et al. 2021, arXiv 2006.16241.
    """

    use: ClassVar[str] = "imagenet-r"
    folder: ClassVar[str] = "imagenet-r"
    remedy: ClassVar[str] = "Get it from the authors (github.com/hendrycks/imagenet-r)."
    count: ClassVar[int] = 200


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetSketch(ImageNet):
    """ImageNet-Sketch: 50,889 black and white sketches of the thousand classes.

    Args:
        size, resize, path, partial: as of `imagenet`; the folder is `imagenet-sketch`.
    Source:
        Wang et al. 2019, arXiv 1905.13549.
    """

    use: ClassVar[str] = "imagenet-sketch"
    folder: ClassVar[str] = "imagenet-sketch"
    remedy: ClassVar[str] = "Get it from the authors (github.com/HaohanWang/ImageNet-Sketch)."


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetC(ImageNet):
    """ImageNet-C as it is published: one corruption in its severities, or all corruptions found.

    Args:
        corruption: name of its folder, e.g. "gaussian_noise"; empty for all.
        severities: which of 1 to 5.
        size, resize: as of `imagenet`; the images are stored with 224 pixels and are not resized.
        path, partial: as of `imagenet`; the folder is `imagenet-c`, with corruption/severity/class below it.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261.
    """

    use: ClassVar[str] = "imagenet-c"
    folder: ClassVar[str] = "imagenet-c"
    remedy: ClassVar[str] = "Get it from the authors (github.com/hendrycks/robustness), unpacked to corruption/severity/class/image."

    resize: Side = 224
    corruption: str = ""
    severities: tuple[Annotated[int, Field(ge=1, le=5)], ...] = (1, 2, 3, 4, 5)

    @property
    def title(self) -> str:
        """The name of the set with that of the corruption."""
        return f"{self.use}/{self.corruption}" if self.corruption else self.use

    def classes(self) -> Mapping[str, list[Path]]:
        """The class folders of every corruption and severity asked for."""
        there = class_folders(self.root)
        if self.corruption and self.corruption not in there:
            raise DataError(f"{self.use} at {self.root} has no corruption {self.corruption!r}. {suggest(self.corruption, there)} {self.remedy}")
        joined: dict[str, list[Path]] = {}
        for name in [self.corruption] if self.corruption else list(there):
            for severity in self.severities:
                place = self.root / name / str(severity)
                if not place.is_dir():
                    raise DataError(f"{self.use} lacks {place}. {self.remedy}")
                for label, folders in self._checked(dict(self._folders(class_folders(place)))).items():
                    joined.setdefault(label, []).extend(folders)
        return self._checked(joined)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CommonCorruptions3D(ImageNetC):
    """3D Common Corruptions of ImageNet (near_focus, far_focus, fog_3d, flash, ...): corruptions that know the scene's depth.

    Args:
        corruption, severities, size, resize, path, partial: as of `imagenet-c`; the folder is `imagenet-3dcc`.
    Source:
        Kar et al. 2022, arXiv 2203.01441.
    """

    use: ClassVar[str] = "imagenet-3dcc"
    folder: ClassVar[str] = "imagenet-3dcc"
    remedy: ClassVar[str] = "Get it from the authors (github.com/EPFL-VILAB/3DCommonCorruptions), as corruption/severity/class/image."


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ObjectNet(ImageNet):
    """ObjectNet's 113 classes that ImageNet has: objects at unusual places, seen from unusual sides.

    A class of ObjectNet may cover several of ImageNet; the largest of their logits is its own. Images lose their red border of one pixel.

    Args:
        size, resize, path, partial: as of `imagenet`; the folder is `objectnet-1.0`, with images/ and mappings/ below it.
    Source:
        Barbu et al. 2019, NeurIPS, "ObjectNet: A large-scale bias-controlled dataset".
    """

    use: ClassVar[str] = "objectnet"
    folder: ClassVar[str] = "objectnet-1.0"
    remedy: ClassVar[str] = "Get it from objectnet.dev, with its folders images/ and mappings/."
    count: ClassVar[int] = 113

    def store(self, paths: Sequence[Path]) -> ImageStore:
        """As of `imagenet`, with the border cut off."""
        return pictures.of_files(paths, self.size, 3, resize=self.resize, border=1)

    def classes(self) -> Mapping[str, list[Path]]:
        """WordNet ids, joined where a class covers several, to its folder."""
        folders = {label: name for name, label in self._json("folder_to_objectnet_label.json").items()}
        numbers = _by_description()
        found: dict[str, list[Path]] = {}
        for label, covered in self._json("objectnet_to_imagenet_1k.json").items():
            place = self.root / "images" / folders.get(label, label)
            if place.is_dir():
                found[EITHER.join(self._id(name.strip(), numbers) for name in covered.split("; "))] = [place]
        return self._checked(found)

    def _json(self, name: str) -> dict[str, str]:
        place = self.root / "mappings" / name
        try:
            found: dict[str, str] = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{place} cannot be read: {error} {self.remedy}") from error
        return found

    def _id(self, name: str, numbers: Mapping[str, str]) -> str:
        if name not in numbers:
            raise DataError(f"{self.root / 'mappings'} speaks of {name!r}, which is no class of ImageNet. {self.remedy}")
        return numbers[name]


def _by_description() -> Mapping[str, str]:
    """WordNet id of each class by its words; of words that two classes share, none."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    words = [info.index_to_description(number) for number in range(len(imagenet_ids()))]
    return {text: name for text, name in zip(words, imagenet_ids(), strict=True) if words.count(text) == 1}
