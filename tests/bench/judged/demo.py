"""Questions to the demo shop, graded by hand: what a shop assistant would lay on the counter, by beginning of SKU."""

from collections.abc import Iterable, Mapping

from tests.bench.judged import Question

_TEES = {"TEE-": 3}
_JEANS = {"JEAN-": 3}
_DRESSES = {"DRESS-": 3}
_COATS = {"COAT-": 3, "JACKET-": 3}
_BAGS = {"BAG-": 3}
_SHOES = {"SHOE-": 3}
_KNITS = {"KNIT-": 3}

GRADED: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    "exact name": {
        "Organic Crew Tee": {"TEE-CREW": 3},
        "Fisherman Sweater": {"KNIT-FISH": 3},
        "Slim Jeans": {"JEAN-SLIM": 3},
        "Chelsea Boots": {"SHOE-CHELSEA": 3},
        "Wide-Brim Straw Hat": {"ACC-HAT": 3},
    },
    "partial name": {
        "oxford": {"SHIRT-OXF": 3},
        "market": {"BAG-TOTE": 3},
        "midi skirt": {"SKIRT-PLEAT": 3},
        "overcoat": {"COAT-WOOL": 3},
        "roll top": {"BAG-BACK": 3},
    },
    "multi-word": {
        "black leather belt": {"ACC-BELT-BLACK": 3},
        "white crew tee": {"TEE-CREW-WHITE": 3},
        "nordlys jeans": {"JEAN-WIDE": 3},
        "merino wool beanie": {"ACC-BEANIE": 3},
        "denim jacket with copper buttons": {"JACKET-DENIM": 3},
        "indigo jeans 32": {"JEAN-SLIM-INDIGO-32": 3},
        "bag for a laptop": {"BAG-BACK": 3, "BAG-TOTE": 3},
    },
    "prefix": {
        "cardi": {"KNIT-CARD": 3},
        "pleated mi": {"SKIRT-PLEAT": 3},
        "cashm": {"KNIT-TURTLE": 3},
        "sneak": {"SHOE-SNEAK": 3},
    },
    "accents": {
        "sahin": {"TEE-POCKET": 3, "KNIT-CARD": 3, "DRESS-LINEN": 3, "ACC-SCARF": 3},
        "ŞİLE": {"KNIT-CARD": 3},
        "maison creme dress": {"DRESS-WRAP": 3, "DRESS-SLIP": 3},
        "grunwald": {"KNIT-TURTLE": 3, "JACKET-RAIN": 3, "ACC-GLOVE": 3},
        "pas a pas": {"SHOE-": 3, "BAG-TOTE": 3},
    },
    "attribute": {
        "cashmere": {"KNIT-TURTLE": 3},
        "camel": {"COAT-WOOL-CAMEL": 3, "KNIT-TURTLE-CAMEL": 3},
        "linen": {"DRESS-LINEN": 3, "TEE-POCKET": 3},
        "suede": {"SHOE-CHELSEA": 3},
        "harbour & sons": {
            "SHIRT-OXF": 3,
            "JEAN-SLIM": 3,
            "TROUSER-": 3,
            "JACKET-DENIM": 3,
            "BAG-BACK": 3,
            "ACC-BELT": 3,
        },
        "SHOE-CHELSEA-TOBACCO-42": {"SHOE-CHELSEA-TOBACCO-42": 3},
    },
    "category": {
        "knitwear": _KNITS,
        "jackets & coats": _COATS,
        "shoes": _SHOES,
        "bags": _BAGS,
        "t-shirts": _TEES,
        "jeans": _JEANS,
    },
    "other form": {
        "dresses": _DRESSES,
        "dress": _DRESSES,
        "scarves": {"ACC-SCARF": 3},
        "tshirt": _TEES,
        "glove": {"ACC-GLOVE": 3},
        "raincoats": {"JACKET-RAIN": 3},
        "pleats": {"SKIRT-PLEAT": 3},
    },
    "typo: missing": {"swater": {"KNIT-FISH": 3}, "jens": _JEANS, "bakpack": {"BAG-BACK": 3}},
    "typo: extra": {
        "beannie": {"ACC-BEANIE": 3},
        "cashmerre": {"KNIT-TURTLE": 3},
        "chelsea bootts": {"SHOE-CHELSEA": 3},
    },
    "typo: wrong": {"jeens": _JEANS, "cardigen": {"KNIT-CARD": 3}, "sandels": {"SHOE-SANDAL": 3}},
    "typo: swapped": {"dersses": _DRESSES, "sneakres": {"SHOE-SNEAK": 3}, "cihnos": {"TROUSER-CHINO": 3}},
    "typo: first letter": {"nardigan": {"KNIT-CARD": 3}, "vlouse": {"BLOUSE-SILK": 3}, "neanie": {"ACC-BEANIE": 3}},
    "typo: two slips": {"trutelneck": {"KNIT-TURTLE": 3}, "fishrman sweatar": {"KNIT-FISH": 3}},
    "nonsense": {"submarine": {}, "qwzxv": {}, "jeans submarine": {}, "%%%%": {}, "aspirin 500": {}},
}
"""By class and text. A beginning stands for every product whose SKU goes on from there."""


def questions(skus: Iterable[str]) -> list[Question]:
    """The same about the products that there are."""
    there = list(skus)
    return [
        Question(
            kind=kind,
            text=text,
            grades={sku: grade for start, grade in grades.items() for sku in there if sku.startswith(start)},
        )
        for kind, asked in GRADED.items()
        for text, grades in asked.items()
    ]
