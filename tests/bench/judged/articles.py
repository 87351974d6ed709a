"""A department store out of nothing but facts: what each of its articles is, is made for and mentions.

Some two thousand articles, the same ones each time. What is written about an article says what it is and no more, so
that the facts alone decide whether it answers a question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product as pairs
from random import Random

from storecore.catalog.model import slugify

DEPARTMENTS: Mapping[str, tuple[str, ...]] = {
    "Electronics": ("Computers", "Audio", "Photography", "Phones"),
    "Kitchen": ("Cookware", "Cutlery", "Coffee & Tea", "Tableware"),
    "Living": ("Lighting", "Bedding", "Furniture", "Decoration"),
    "Clothing": ("Tops", "Knitwear", "Trousers", "Dresses", "Outerwear", "Headwear"),
    "Footwear": ("Sport Shoes", "Boots & Sandals"),
    "Outdoors": ("Camping", "Cycling", "Travel"),
    "Play": ("Toys", "Games"),
    "Stationery": ("Writing", "Paper"),
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sort of article: ``for_`` is what it is made for, ``mentions`` what its description speaks of besides."""

    noun: str
    category: str
    materials: tuple[str, ...]
    says: str
    sizes: tuple[str, ...] = ("",)
    for_: str = ""
    mentions: str = ""
    has_model: bool = False

    @property
    def head(self) -> str:
        """What it is in one word: a frying pan is a pan."""
        return self.noun.replace("-", " ").split()[-1]


_METAL, _CLOTH = ("aluminium", "steel", "titanium"), ("cotton", "linen", "flannel")
_WOOL, _WOOD = ("merino", "cashmere", "alpaca"), ("oak", "walnut", "ash")
_SIZES, _WAISTS, _FEET = ("S", "M", "L"), ("30", "32", "34"), ("38", "40", "42")

KINDS = tuple(
    Kind(noun=noun, category=category, materials=materials, says=says, **others)
    for noun, category, materials, says, others in (
        ("Laptop", "Computers", _METAL, "A bright screen and a battery for the whole day.", {"has_model": True}),
        ("Laptop Sleeve", "Computers", ("felt", "neoprene"), "Keeps scratches away.", {"for_": "Laptop"}),
        ("Laptop Stand", "Computers", _METAL, "Lifts the screen to the height of the eyes.", {"for_": "Laptop"}),
        ("Keyboard", "Computers", _METAL, "Quiet keys with a firm stop.", {"has_model": True}),
        ("Monitor", "Computers", _METAL, "Sharp to the corners, and it turns upright.", {"has_model": True}),
        ("Headphones", "Audio", _METAL, "Closed cups that keep the street outside.", {"has_model": True}),
        ("Headphone Case", "Audio", ("felt", "leather"), "A hard shell with a soft lining.", {"for_": "Headphones"}),
        ("Speaker", "Audio", _WOOD, "Warm bass from a small box.", {"has_model": True}),
        ("Turntable", "Audio", _WOOD, "A heavy platter that runs without a murmur.", {"mentions": "Speaker"}),
        ("Camera", "Photography", _METAL, "A large sensor in a small body.", {"has_model": True}),
        ("Camera Strap", "Photography", ("leather", "nylon"), "Wide on the shoulder.", {"for_": "Camera"}),
        ("Tripod", "Photography", _METAL, "Stands still in the wind.", {"mentions": "Camera"}),
        ("Phone Case", "Phones", ("silicone", "leather"), "Survives a fall onto stone.", {}),
        ("Charger", "Phones", ("nylon",), "Half full in twenty minutes.", {"has_model": True, "mentions": "Laptop"}),
        ("Frying Pan", "Cookware", ("iron", "steel", "copper"), "Heats evenly up to the rim.", {}),
        ("Saucepan", "Cookware", ("steel", "copper"), "Pours without a drip.", {}),
        ("Wok", "Cookware", ("iron", "steel"), "Light enough to toss.", {}),
        ("Chopping Board", "Cookware", _WOOD, "End grain, kind to edges.", {"mentions": "Knife"}),
        ("Bread Knife", "Cutlery", ("steel", "damascus"), "Saws through the hardest crust.", {}),
        ("Paring Knife", "Cutlery", ("steel", "ceramic"), "Peels and trims.", {}),
        ("Knife Block", "Cutlery", _WOOD, "Room for seven blades.", {"for_": "Knife"}),
        ("Coffee Grinder", "Coffee & Tea", ("steel", "ceramic"), "From coarse to fine in forty steps.", {}),
        ("Teapot", "Coffee & Tea", ("stoneware", "porcelain", "iron"), "Holds four cups and its heat.", {}),
        ("Kettle", "Coffee & Tea", ("steel", "enamel"), "Boils fast and whistles softly.", {"mentions": "Teapot"}),
        ("Mug", "Tableware", ("stoneware", "porcelain", "enamel"), "A handle for the whole hand.", {}),
        ("Dinner Plate", "Tableware", ("stoneware", "porcelain"), "Stacks well and chips rarely.", {}),
        ("Salad Bowl", "Tableware", (*_WOOD, "stoneware"), "Deep enough to toss without losses.", {}),
        ("Table Lamp", "Lighting", ("brass", "oak", "porcelain"), "A warm pool of light beside the sofa.", {}),
        ("Floor Lamp", "Lighting", ("brass", "oak"), "Reads over your shoulder.", {"mentions": "Armchair"}),
        ("Lamp Shade", "Lighting", ("linen", "paper"), "Softens a bare bulb.", {"for_": "Lamp"}),
        ("Duvet Cover", "Bedding", _CLOTH, "Washed soft, with hidden ties.", {}),
        ("Pillow", "Bedding", ("cotton", "bamboo"), "Firm in the middle, soft at the ends.", {}),
        ("Blanket", "Bedding", _WOOL, "Woven slowly, warm at once.", {"mentions": "Sofa"}),
        ("Armchair", "Furniture", ("velvet", "leather"), "Deep seat, high back.", {}),
        ("Bookshelf", "Furniture", _WOOD, "Five boards and no visible screw.", {}),
        ("Mirror", "Decoration", ("brass", "oak", "rattan"), "Makes a narrow hall wider.", {}),
        ("Vase", "Decoration", ("stoneware", "crystal"), "For one branch or many.", {}),
        ("Candle", "Decoration", ("beeswax", "soy"), "Burns for forty hours.", {}),
        ("T-Shirt", "Tops", ("cotton", "hemp"), "Cut straight, sewn twice.", {"sizes": _SIZES}),
        ("Shirt", "Tops", _CLOTH, "Mother-of-pearl buttons down the front.", {"sizes": _SIZES}),
        ("Sweater", "Knitwear", _WOOL, "Knitted in one piece.", {"sizes": _SIZES, "mentions": "Shirt"}),
        ("Cardigan", "Knitwear", _WOOL, "Two pockets and horn buttons.", {"sizes": _SIZES}),
        ("Jeans", "Trousers", ("denim",), "Five pockets, copper rivets.", {"sizes": _WAISTS}),
        ("Chinos", "Trousers", ("cotton", "twill"), "A clean line from the hip.", {"sizes": _WAISTS}),
        ("Wrap Dress", "Dresses", ("viscose", "linen"), "Ties at the side.", {"sizes": _SIZES}),
        ("Raincoat", "Outerwear", ("rubber", "nylon"), "Taped seams keep every drop out.", {"sizes": _SIZES}),
        ("Parka", "Outerwear", ("nylon", "cotton"), "Down to the knees.", {"sizes": _SIZES, "mentions": "Sweater"}),
        ("Hat", "Headwear", ("felt", "straw"), "A brim against sun and rain.", {}),
        ("Scarf", "Headwear", (*_WOOL, "silk"), "Long enough to wind twice.", {"mentions": "Parka"}),
        ("Women's Running Shoes", "Sport Shoes", ("mesh",), "Light, with a springy sole.", {"sizes": _FEET}),
        ("Men's Running Shoes", "Sport Shoes", ("mesh",), "Light, with a springy sole.", {"sizes": _FEET}),
        ("Hiking Boots", "Boots & Sandals", ("leather", "suede"), "Grip on wet rock.", {"sizes": _FEET}),
        ("Sandals", "Boots & Sandals", ("leather", "cork"), "A footbed that learns.", {"sizes": _FEET}),
        ("Tent", "Camping", ("nylon", "canvas"), "Up in three minutes.", {"has_model": True}),
        ("Sleeping Bag", "Camping", ("down", "nylon"), "Warm to minus ten.", {"mentions": "Tent"}),
        ("Bicycle", "Cycling", ("steel", "aluminium"), "Eight gears and lights that always work.", {"has_model": True}),
        ("Bicycle Helmet", "Cycling", ("foam",), "Sixteen vents.", {"for_": "Bicycle", "sizes": _SIZES}),
        ("Bicycle Pump", "Cycling", ("steel", "aluminium"), "Fits both valves.", {"for_": "Bicycle"}),
        ("Backpack", "Travel", ("canvas", "nylon"), "Twenty litres in three rooms.", {"mentions": "Laptop"}),
        ("Suitcase", "Travel", ("aluminium", "polycarbonate"), "Four wheels that go straight.", {}),
        ("Wooden Train", "Toys", _WOOD, "Magnets hold the wagons together.", {}),
        ("Teddy Bear", "Toys", ("mohair", "plush"), "Arms and legs can turn.", {}),
        ("Jigsaw Puzzle", "Games", ("cardboard", "birch"), "A thousand parts.", {}),
        ("Board Game", "Games", ("cardboard",), "Two to six players, one hour.", {}),
        ("Fountain Pen", "Writing", ("brass", "resin"), "A nib that glides.", {"mentions": "Notebook"}),
        ("Notebook", "Paper", ("leather", "paper"), "Stitched to lie flat.", {}),
    )
)  # fmt: skip
BRANDS = (
    *("Şahin Atölye", "Çınar", "Ilgaz Dağ", "Gökçe", "Maison Crème", "Élan Frères", "Côte Sauvage", "Grünwald"),
    *("Müller & Söhne", "Bärenfels", "Harbour & Sons", "Pinecrest", "Kestrel", "Lumio", "Tektra", "Vantor"),
    *("Ember & Oak", "Ridgeway", "Salthouse", "Quillon", "Marlowe", "Brightwater", "Fenwick", "Zephyr"),
)
SERIES = (
    *("Aurora", "Basalt", "Cascade", "Drift", "Everly", "Fjord", "Galileo", "Horizon", "Indra", "Juniper", "Kinetic"),
    *(
        "Lagoon",
        "Meridian",
        "Nimbus",
        "Orchard",
        "Prairie",
        "Quartz",
        "Rivage",
        "Solstice",
        "Tundra",
        "Umbra",
        "Vesper",
    ),
    *("Willow", "Xenon", "Yonder", "Zenith", "Işık", "Güneş", "Yağmur", "Kırlangıç", "Été", "Forêt", "Lumière"),
    *("Frühling", "Mühle", "Schönwetter", "Größe"),
)
COLOURS = (
    *("Black", "White", "Navy", "Crimson", "Olive", "Mustard", "Burgundy", "Teal", "Ivory", "Charcoal", "Lavender"),
    *("Turquoise", "Sky Blue", "Midnight Blue", "Forest Green"),
)
_DESIGNS, _COLOURS_EACH = 8, 3


@dataclass(frozen=True, kw_only=True)
class Article:
    """One thing on a shelf."""

    sku: str
    kind: Kind
    brand: str
    series: str
    model: str
    material: str
    colour: str
    size: str

    @property
    def name(self) -> str:
        """As the label says; some makers put themselves on it, others don't."""
        begins = self.series if self.kind.materials in {_WOOL, _WOOD} else f"{self.brand} {self.series}"
        return " ".join(part for part in (begins, self.model, self.kind.noun, self.colour) if part)

    @property
    def description(self) -> str:
        """What it is like, and what else it goes with."""
        goes = f" Goes well with any {self.kind.mentions.lower()}." if self.kind.mentions else ""
        return f"{self.kind.says} Made of {self.material} by {self.brand}.{goes}"

    @property
    def attributes(self) -> Mapping[str, str]:
        """What a shopper can choose by."""
        facts = {
            "brand": self.brand,
            "colour": self.colour,
            "material": self.material,
            "size": self.size,
            "model": self.model,
        }
        return {name: value for name, value in facts.items() if value}


@cache
def articles() -> tuple[Article, ...]:
    """All of them, by kind and design."""
    random = Random("articles")
    made: list[Article] = []
    for kind in KINDS:
        for design, series in enumerate(random.sample(SERIES, _DESIGNS)):
            brand, material = random.choice(BRANDS), random.choice(kind.materials)
            letters = "".join(random.choice("BCDFGHKLMNPRTVX") for _ in range(2))
            model = f"{letters}-{random.randint(100, 9999)}" if kind.has_model else ""
            colours = random.sample(COLOURS, _COLOURS_EACH)
            for colour, size in pairs(colours, kind.sizes):
                parts = (slugify(kind.noun), str(design + 1), slugify(colour), size)
                made.append(
                    Article(
                        sku="-".join(part.upper() for part in parts if part),
                        kind=kind,
                        brand=brand,
                        series=series,
                        model=model,
                        material=material,
                        colour=colour,
                        size=size,
                    )
                )
    return tuple(made)
