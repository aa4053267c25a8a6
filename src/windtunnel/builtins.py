"""The only name tables: what a suite can say, and where it is found. Strings; nothing is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from windtunnel.registry import Registry

if TYPE_CHECKING:
    from windtunnel.core.cleaning import Cleaning
    from windtunnel.core.condition import Condition
    from windtunnel.core.configured import Configured
    from windtunnel.core.dataset import DataSource
    from windtunnel.core.metric import Metric
    from windtunnel.core.model import ModelSource
    from windtunnel.core.part import Augmentation, Averaging, Loss, Perturbation, Regularisation, Scope, Selection
    from windtunnel.core.recipe import Recipe
    from windtunnel.core.threat import Threat

MODELS: Final[Registry[ModelSource]] = Registry(
    "model",
    "windtunnel.core.model:ModelSource",
    {
        "windtunnel": "windtunnel.models.packaged:ZooModel",
        "timm": "windtunnel.models.timm:TimmModel",
        "torchvision": "windtunnel.models.torchvision:TorchvisionModel",
        "transformers": "windtunnel.models.transformers:TransformersModel",
        "local": "windtunnel.models.local:LocalModel",
        "python": "windtunnel.models.python:PythonModel",
    },
)
"""Families: a model is named "family/name", e.g. "timm/resnet18.a1_in1k"."""

RECIPES: Final[Registry[Recipe]] = Registry(
    "recipe",
    "windtunnel.core.recipe:Recipe",
    {
        "pretrained": "windtunnel.recipes.pretrained:Pretrained",
        "finetune": "windtunnel.recipes.supervised:Supervised",
        "interpolation": "windtunnel.recipes.wise_ft:WiseFt",
        "soup": "windtunnel.recipes.soup:Soup",
        "search": "windtunnel.recipes.search:Search",
        "fedavg": "windtunnel.recipes.fedavg:FedAvg",
        "reptile": "windtunnel.recipes.reptile:Reptile",
    },
)
"""How a victim can come about. What people call a recipe is mostly a preset: a file of the catalogue's folder `recipes/`."""

STAGES: Final[Registry[Configured]] = Registry("stage", "windtunnel.core.configured:Configured", {"stage": "windtunnel.recipes.stage:Stage"})

SCOPES: Final[Registry[Scope]] = Registry(
    "scope",
    "windtunnel.core.part:Scope",
    {
        "full": "windtunnel.recipes.scopes.whole:Full",
        "head": "windtunnel.recipes.scopes.whole:Head",
        "last-blocks": "windtunnel.recipes.scopes.by_depth:LastBlocks",
        "first-blocks": "windtunnel.recipes.scopes.by_depth:FirstBlocks",
        "gradual": "windtunnel.recipes.scopes.by_depth:Gradual",
        "layers": "windtunnel.recipes.scopes.by_kind:Layers",
        "norms": "windtunnel.recipes.scopes.by_kind:Norms",
        "biases": "windtunnel.recipes.scopes.by_kind:Biases",
        "adapters": "windtunnel.recipes.scopes.adapters:Adapters",
        "lora": "windtunnel.recipes.scopes.lora:LoRA",
        "ia3": "windtunnel.recipes.scopes.lora:IA3",
    },
)

LOSSES: Final[Registry[Loss]] = Registry(
    "loss",
    "windtunnel.core.part:Loss",
    {
        "cross-entropy": "windtunnel.recipes.losses.cross_entropy:CrossEntropy",
        "focal": "windtunnel.recipes.losses.focal:Focal",
        "class-balanced": "windtunnel.recipes.losses.class_balanced:ClassBalanced",
        "logit-adjusted": "windtunnel.recipes.losses.logit_adjusted:LogitAdjusted",
        "generalised-cross-entropy": "windtunnel.recipes.losses.noise_robust:GeneralisedCrossEntropy",
        "symmetric-cross-entropy": "windtunnel.recipes.losses.noise_robust:SymmetricCrossEntropy",
        "distillation": "windtunnel.recipes.losses.distillation:Distillation",
        "group-dro": "windtunnel.recipes.losses.group_dro:GroupDRO",
        "supervised-contrastive": "windtunnel.recipes.losses.contrastive:SupervisedContrastive",
    },
)

AUGMENTATIONS: Final[Registry[Augmentation]] = Registry(
    "augmentation",
    "windtunnel.core.part:Augmentation",
    {
        "flip": "windtunnel.recipes.augmentation.flip:Flip",
        "rotation": "windtunnel.recipes.augmentation.rotation:Rotation",
        "crop": "windtunnel.recipes.augmentation.crop:Crop",
        "noise": "windtunnel.recipes.augmentation.noise:Noise",
        "erasing": "windtunnel.recipes.augmentation.erasing:Erasing",
        "randaugment": "windtunnel.recipes.augmentation.randaugment:RandAugment",
        "trivialaugment": "windtunnel.recipes.augmentation.trivialaugment:TrivialAugment",
        "augmix": "windtunnel.recipes.augmentation.augmix:AugMix",
        "pixmix": "windtunnel.recipes.augmentation.pixmix:PixMix",
        "mixup": "windtunnel.recipes.augmentation.mixup:Mixup",
        "cutmix": "windtunnel.recipes.augmentation.cutmix:CutMix",
        "embedding-mixup": "windtunnel.recipes.augmentation.embedding_mixup:EmbeddingMixup",
        "perturbation": "windtunnel.recipes.augmentation.perturbation:Perturbation",
        "word-dropout": "windtunnel.recipes.augmentation.word_dropout:WordDropout",
        "synonyms": "windtunnel.recipes.augmentation.eda:Synonyms",
        "eda": "windtunnel.recipes.augmentation.eda:EDA",
        "textattack-augmenter": "windtunnel.recipes.augmentation.textattack:TextAttackAugmenter",
    },
)

REGULARISATIONS: Final[Registry[Regularisation]] = Registry(
    "regularisation",
    "windtunnel.core.part:Regularisation",
    {
        "l2-sp": "windtunnel.recipes.regularisation.l2_sp:L2SP",
        "feature-distance": "windtunnel.recipes.regularisation.feature_distance:FeatureDistance",
        "dropout": "windtunnel.recipes.regularisation.dropout:Dropout",
        "stochastic-depth": "windtunnel.recipes.regularisation.dropout:StochasticDepth",
        "r-drop": "windtunnel.recipes.regularisation.r_drop:RDrop",
        "sam": "windtunnel.recipes.regularisation.sam:SAM",
        "asam": "windtunnel.recipes.regularisation.sam:ASAM",
        "awp": "windtunnel.recipes.regularisation.awp:AWP",
    },
)

PERTURBATIONS: Final[Registry[Perturbation]] = Registry(
    "perturbation",
    "windtunnel.core.part:Perturbation",
    {
        "adversarial": "windtunnel.recipes.perturbation.adversarial:Adversarial",
        "fgsm-rs": "windtunnel.recipes.perturbation.fast:Fast",
        "trades": "windtunnel.recipes.perturbation.trades:Trades",
        "mart": "windtunnel.recipes.perturbation.mart:Mart",
        "free-at": "windtunnel.recipes.perturbation.free:Free",
        "advprop": "windtunnel.recipes.perturbation.advprop:AdvProp",
        "freelb": "windtunnel.recipes.perturbation.freelb:FreeLB",
        "smart": "windtunnel.recipes.perturbation.smart:Smart",
    },
)

AVERAGINGS: Final[Registry[Averaging]] = Registry(
    "averaging",
    "windtunnel.core.part:Averaging",
    {
        "ema": "windtunnel.recipes.averaging.ema:EMA",
        "swa": "windtunnel.recipes.averaging.swa:SWA",
    },
)

SELECTIONS: Final[Registry[Selection]] = Registry(
    "selection",
    "windtunnel.core.part:Selection",
    {
        "best": "windtunnel.recipes.selection.best:Best",
        "accurate": "windtunnel.recipes.selection.best:Accurate",
        "last": "windtunnel.recipes.selection.best:Last",
        "threats": "windtunnel.recipes.selection.threats:UnderThreats",
    },
)

CLEANINGS: Final[Registry[Cleaning]] = Registry(
    "cleaning",
    "windtunnel.core.cleaning:Cleaning",
    {
        "missing": "windtunnel.recipes.cleaning.missing:Missing",
        "de-duplicate": "windtunnel.recipes.cleaning.de_duplicate:DeDuplicate",
        "confident-learning": "windtunnel.recipes.cleaning.confident_learning:ConfidentLearning",
    },
)

PARTS: Final[tuple[Registry[Any], ...]] = (SCOPES, LOSSES, AUGMENTATIONS, REGULARISATIONS, PERTURBATIONS, AVERAGINGS, SELECTIONS, CLEANINGS)
"""What recipes are composed of."""

CONDITIONS: Final[Registry[Condition]] = Registry(
    "condition",
    "windtunnel.core.condition:Condition",
    {
        "label-noise": "windtunnel.conditions.label_noise:LabelNoise",
        "imbalance": "windtunnel.conditions.imbalance:Imbalance",
        "few-shot": "windtunnel.conditions.few_shot:FewShot",
        "missing": "windtunnel.conditions.missing:Missing",
        "near-duplicates": "windtunnel.conditions.near_duplicates:NearDuplicates",
        "shortcut": "windtunnel.conditions.shortcut:Shortcut",
    },
)
"""Ways in which training data may be bad."""

THREATS: Final[Registry[Threat]] = Registry(
    "threat",
    "windtunnel.core.threat:Threat",
    {
        "clean": "windtunnel.threats.clean:Clean",
        "fgsm": "windtunnel.threats.gradient.fgsm:FGSM",
        "pgd": "windtunnel.threats.gradient.pgd:PGD",
        "apgd": "windtunnel.threats.gradient.apgd:APGD",
        "cw": "windtunnel.threats.minimum.cw:CW",
        "deepfool": "windtunnel.threats.minimum.deepfool:DeepFool",
        "ddn": "windtunnel.threats.minimum.ddn:DDN",
        "fmn": "windtunnel.threats.minimum.fmn:FMN",
        "fab": "windtunnel.threats.minimum.fab:FAB",
        "square": "windtunnel.threats.query.square:Square",
        "hopskipjump": "windtunnel.threats.query.hopskipjump:HopSkipJump",
        "mi-fgsm": "windtunnel.threats.gradient.transfer:MIFGSM",
        "ni-fgsm": "windtunnel.threats.gradient.transfer:NIFGSM",
        "di-fgsm": "windtunnel.threats.gradient.transfer:DIFGSM",
        "ti-fgsm": "windtunnel.threats.gradient.transfer:TIFGSM",
        "si-ni-fgsm": "windtunnel.threats.gradient.transfer:SINIFGSM",
        "autoattack": "windtunnel.threats.autoattack:AutoAttack",
        "gaussian-noise": "windtunnel.threats.corruptions.noise:GaussianNoise",
        "shot-noise": "windtunnel.threats.corruptions.noise:ShotNoise",
        "impulse-noise": "windtunnel.threats.corruptions.noise:ImpulseNoise",
        "defocus-blur": "windtunnel.threats.corruptions.blur:DefocusBlur",
        "glass-blur": "windtunnel.threats.corruptions.glass:GlassBlur",
        "motion-blur": "windtunnel.threats.corruptions.motion:MotionBlur",
        "zoom-blur": "windtunnel.threats.corruptions.zoom:ZoomBlur",
        "snow": "windtunnel.threats.corruptions.snow:Snow",
        "frost": "windtunnel.threats.corruptions.frost:Frost",
        "fog": "windtunnel.threats.corruptions.fog:Fog",
        "brightness": "windtunnel.threats.corruptions.colour:Brightness",
        "contrast": "windtunnel.threats.corruptions.contrast:Contrast",
        "elastic-transform": "windtunnel.threats.corruptions.elastic:ElasticTransform",
        "pixelate": "windtunnel.threats.corruptions.pixelate:Pixelate",
        "jpeg": "windtunnel.threats.corruptions.jpeg:Jpeg",
        "speckle-noise": "windtunnel.threats.corruptions.noise:SpeckleNoise",
        "gaussian-blur": "windtunnel.threats.corruptions.blur:GaussianBlur",
        "spatter": "windtunnel.threats.corruptions.spatter:Spatter",
        "saturate": "windtunnel.threats.corruptions.colour:Saturate",
        "rotation": "windtunnel.threats.corruptions.geometry:Rotation",
        "translation": "windtunnel.threats.corruptions.geometry:Translation",
        "resolution-loss": "windtunnel.threats.corruptions.resolution:ResolutionLoss",
        "colour-cast": "windtunnel.threats.corruptions.light:ColourCast",
        "low-light": "windtunnel.threats.corruptions.light:LowLight",
        "path-motion": "windtunnel.threats.corruptions.camera:PathMotion",
        "lens-dirt": "windtunnel.threats.corruptions.camera:LensDirt",
        "occlusion": "windtunnel.threats.corruptions.camera:Occlusion",
        "webp": "windtunnel.threats.corruptions.codecs:WebP",
        "avif": "windtunnel.threats.corruptions.codecs:Avif",
        "video-compression": "windtunnel.threats.corruptions.codecs:VideoCompression",
        "keyboard-typos": "windtunnel.threats.text.letters:KeyboardTypos",
        "letter-swaps": "windtunnel.threats.text.letters:LetterSwaps",
        "letter-deletions": "windtunnel.threats.text.letters:LetterDeletions",
        "letter-repeats": "windtunnel.threats.text.letters:LetterRepeats",
        "ocr-errors": "windtunnel.threats.text.recognition:OcrErrors",
        "homophones": "windtunnel.threats.text.recognition:Homophones",
        "upper-case": "windtunnel.threats.text.casing:UpperCase",
        "lower-case": "windtunnel.threats.text.casing:LowerCase",
        "random-case": "windtunnel.threats.text.casing:RandomCase",
        "lower-case-names": "windtunnel.threats.text.casing:LowerCaseNames",
        "dropped-punctuation": "windtunnel.threats.text.punctuation:DroppedPunctuation",
        "doubled-punctuation": "windtunnel.threats.text.punctuation:DoubledPunctuation",
        "added-punctuation": "windtunnel.threats.text.punctuation:AddedPunctuation",
        "joined-words": "windtunnel.threats.text.spaces:JoinedWords",
        "split-words": "windtunnel.threats.text.spaces:SplitWords",
        "homoglyphs": "windtunnel.threats.text.disguises:Homoglyphs",
        "zero-width": "windtunnel.threats.text.disguises:ZeroWidth",
        "leetspeak": "windtunnel.threats.text.disguises:Leetspeak",
        "contractions": "windtunnel.threats.text.contractions:Contractions",
        "expansions": "windtunnel.threats.text.contractions:Expansions",
        "british-spelling": "windtunnel.threats.text.spelling:BritishSpelling",
        "american-spelling": "windtunnel.threats.text.spelling:AmericanSpelling",
        "emoji": "windtunnel.threats.text.additions:Emoji",
        "hashtags": "windtunnel.threats.text.additions:Hashtags",
        "distractors-before": "windtunnel.threats.text.additions:DistractorsBefore",
        "distractors-after": "windtunnel.threats.text.additions:DistractorsAfter",
        "fillers": "windtunnel.threats.text.word_order:Fillers",
        "word-dropout": "windtunnel.threats.text.word_order:WordDropout",
        "word-shuffling": "windtunnel.threats.text.word_order:WordShuffling",
        "name-swaps": "windtunnel.threats.text.swaps:NameSwaps",
        "number-swaps": "windtunnel.threats.text.swaps:NumberSwaps",
        "worst-of": "windtunnel.threats.text.worst_of:WorstOf",
        "shortcut": "windtunnel.threats.shortcut:Shortcut",
        "shift": "windtunnel.threats.shift:Shift",
        "imagenet-p": "windtunnel.threats.imagenet_p:ImageNetP",
        "torchattacks/FGSM": "windtunnel.threats.library.torchattacks:FGSM",
        "torchattacks/BIM": "windtunnel.threats.library.torchattacks:BIM",
        "torchattacks/RFGSM": "windtunnel.threats.library.torchattacks:RFGSM",
        "torchattacks/PGD": "windtunnel.threats.library.torchattacks:PGD",
        "torchattacks/EOTPGD": "windtunnel.threats.library.torchattacks:EOTPGD",
        "torchattacks/FFGSM": "windtunnel.threats.library.torchattacks:FFGSM",
        "torchattacks/TPGD": "windtunnel.threats.library.torchattacks:TPGD",
        "torchattacks/MIFGSM": "windtunnel.threats.library.torchattacks:MIFGSM",
        "torchattacks/UPGD": "windtunnel.threats.library.torchattacks:UPGD",
        "torchattacks/DIFGSM": "windtunnel.threats.library.torchattacks:DIFGSM",
        "torchattacks/TIFGSM": "windtunnel.threats.library.torchattacks:TIFGSM",
        "torchattacks/Jitter": "windtunnel.threats.library.torchattacks:Jitter",
        "torchattacks/NIFGSM": "windtunnel.threats.library.torchattacks:NIFGSM",
        "torchattacks/PGDRS": "windtunnel.threats.library.torchattacks:PGDRS",
        "torchattacks/SINIFGSM": "windtunnel.threats.library.torchattacks:SINIFGSM",
        "torchattacks/VMIFGSM": "windtunnel.threats.library.torchattacks:VMIFGSM",
        "torchattacks/VNIFGSM": "windtunnel.threats.library.torchattacks:VNIFGSM",
        "torchattacks/GN": "windtunnel.threats.library.torchattacks:GN",
        "torchattacks/APGD": "windtunnel.threats.library.torchattacks:APGD",
        "torchattacks/APGDT": "windtunnel.threats.library.torchattacks:APGDT",
        "torchattacks/SPSA": "windtunnel.threats.library.torchattacks:SPSA",
        "torchattacks/PIFGSM": "windtunnel.threats.library.torchattacks:PIFGSM",
        "torchattacks/PIFGSMPP": "windtunnel.threats.library.torchattacks:PIFGSMPP",
        "torchattacks/CW": "windtunnel.threats.library.torchattacks:CW",
        "torchattacks/PGDL2": "windtunnel.threats.library.torchattacks:PGDL2",
        "torchattacks/PGDRSL2": "windtunnel.threats.library.torchattacks:PGDRSL2",
        "torchattacks/DeepFool": "windtunnel.threats.library.torchattacks:DeepFool",
        "torchattacks/EADEN": "windtunnel.threats.library.torchattacks:EADEN",
        "torchattacks/EADL1": "windtunnel.threats.library.torchattacks:EADL1",
        "torchattacks/SparseFool": "windtunnel.threats.library.torchattacks:SparseFool",
        "torchattacks/OnePixel": "windtunnel.threats.library.torchattacks:OnePixel",
        "torchattacks/Pixle": "windtunnel.threats.library.torchattacks:Pixle",
        "torchattacks/JSMA": "windtunnel.threats.library.torchattacks:JSMA",
        "torchattacks/FAB": "windtunnel.threats.library.torchattacks:FAB",
        "torchattacks/AutoAttack": "windtunnel.threats.library.torchattacks:AutoAttack",
        "torchattacks/Square": "windtunnel.threats.library.torchattacks:Square",
        "greedy-typos": "windtunnel.threats.text.greedy_typos:GreedyTypos",
        "greedy-wordnet": "windtunnel.threats.text.greedy_wordnet:GreedyWordNet",
        "textattack/a2t": "windtunnel.threats.text.library.textattack:A2TYoo2021",
        "textattack/alzantot": "windtunnel.threats.text.library.textattack:GeneticAlgorithmAlzantot2018",
        "textattack/bad-characters": "windtunnel.threats.text.library.textattack:BadCharacters2021",
        "textattack/bae": "windtunnel.threats.text.library.textattack:BAEGarg2019",
        "textattack/bert-attack": "windtunnel.threats.text.library.textattack:BERTAttackLi2020",
        "textattack/checklist": "windtunnel.threats.text.library.textattack:CheckList2020",
        "textattack/clare": "windtunnel.threats.text.library.textattack:CLARE2020",
        "textattack/deepwordbug": "windtunnel.threats.text.library.textattack:DeepWordBugGao2018",
        "textattack/faster-alzantot": "windtunnel.threats.text.library.textattack:FasterGeneticAlgorithmJia2019",
        "textattack/french": "windtunnel.threats.text.library.textattack:FrenchRecipe",
        "textattack/iga": "windtunnel.threats.text.library.textattack:IGAWang2019",
        "textattack/kuleshov": "windtunnel.threats.text.library.textattack:Kuleshov2017",
        "textattack/leap": "windtunnel.threats.text.library.textattack:LEAP2023",
        "textattack/pruthi": "windtunnel.threats.text.library.textattack:Pruthi2019",
        "textattack/pso": "windtunnel.threats.text.library.textattack:PSOZang2020",
        "textattack/pwws": "windtunnel.threats.text.library.textattack:PWWSRen2019",
        "textattack/spanish": "windtunnel.threats.text.library.textattack:SpanishRecipe",
        "textattack/textbugger": "windtunnel.threats.text.library.textattack:TextBuggerLi2018",
        "textattack/textfooler": "windtunnel.threats.text.library.textattack:TextFoolerJin2019",
    },
)

DATASETS: Final[Registry[DataSource]] = Registry(
    "dataset",
    "windtunnel.core.dataset:DataSource",
    {
        "digits": "windtunnel.datasets.digits:Digits",
        "mnist5k": "windtunnel.datasets.mnist5k:Mnist5k",
        "fashion-mnist": "windtunnel.datasets.fashion_mnist:FashionMnist",
        "sentiment-4": "windtunnel.datasets.sentiment:Sentiment",
        "folder": "windtunnel.datasets.folder:Folder",
        "table": "windtunnel.datasets.table:Table",
        "text-table": "windtunnel.datasets.text_table:TextTable",
        "torchvision": "windtunnel.datasets.torchvision:Torchvision",
        "huggingface": "windtunnel.datasets.huggingface:HuggingFace",
        "huggingface-text": "windtunnel.datasets.huggingface_text:HuggingFaceText",
        "imagenet": "windtunnel.datasets.imagenet:ImageNet",
        "imagenet-v2": "windtunnel.datasets.imagenet:ImageNetV2",
        "imagenet-a": "windtunnel.datasets.imagenet:ImageNetA",
        "imagenet-r": "windtunnel.datasets.imagenet:ImageNetR",
        "imagenet-sketch": "windtunnel.datasets.imagenet:ImageNetSketch",
        "imagenet-c": "windtunnel.datasets.imagenet:ImageNetC",
        "imagenet-3dcc": "windtunnel.datasets.imagenet:CommonCorruptions3D",
        "imagenet-p": "windtunnel.datasets.imagenet_p:ImageNetP",
        "objectnet": "windtunnel.datasets.imagenet:ObjectNet",
        "cifar10-c": "windtunnel.datasets.corrupted_arrays:Cifar10C",
        "cifar100-c": "windtunnel.datasets.corrupted_arrays:Cifar100C",
        "mnist-c": "windtunnel.datasets.corrupted_arrays:MnistC",
    },
)

METRICS: Final[Registry[Metric]] = Registry(
    "metric",
    "windtunnel.core.metric:Metric",
    {
        "accuracy": "windtunnel.metrics.accuracy:Accuracy",
        "macro-f1": "windtunnel.metrics.f1:MacroF1",
        "ece": "windtunnel.metrics.calibration:ExpectedCalibrationError",
    },
)
