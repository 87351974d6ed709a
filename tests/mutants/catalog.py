# ruff: noqa: E501 - what is changed is shown as it is written
"""Categories, products, their prices, lists and search, stock, wishes and coupons gone wrong."""

from tests.mutants.mutating import mutants

MUTANTS = (
    *mutants(
        "adapters.memory.catalog",
        "CategoriesContract",
        (
            "names of categories are folded by lower case alone",
            "draft, name = self._draft, fold_name(category.name)\n        if name in",
            "draft, name = self._draft, category.name.strip().lower()\n        if name in",
        ),
        ("two categories may have one name", "if name in draft.categories_by_name:", "if False:"),
        (
            "a name that is taken is told in another way",
            "raise CategoryExists()\n        draft.categories.put(",
            "raise Contention()\n        draft.categories.put(",
        ),
        (
            "a category can be given a name that is taken",
            "if draft.categories_by_name.get(name) not in (None, category.id):",
            "if False:",
        ),
        (
            "a category can't be written in other letters",
            "if draft.categories_by_name.get(name) not in (None, category.id):",
            "if name in draft.categories_by_name:",
        ),
        ("a category's old name stays taken", "        draft.categories_by_name.drop(fold_name(stored.name))\n", ""),
        (
            "a removed category's name stays taken",
            "        draft.categories_by_name.drop(fold_name(category.name))\n",
            "",
        ),
        ("the version of a category is ignored", "if category.version != stored.version + 1:", "if False:"),
        (
            "an unknown category is a mistake of the program",
            'raise NotFound("There is no such category.")',
            "raise LookupError(category_id)",
        ),
        (
            "ids that are not there are among some",
            "return {each: category for each, category in found.items() if category is not None}",
            "return found",
        ),
        (
            "names are looked for as they are written",
            "wanted = {fold_name(name) for name in names}",
            "wanted = set(names)",
        ),
        (
            "categories are listed by name as it is written",
            "lambda each: (fold_name(each.name), each.id))",
            "lambda each: (each.name, each.id))",
        ),
        (
            "categories are listed in the order they came",
            "lambda each: (fold_name(each.name), each.id))",
            "lambda each: (each.id,))",
        ),
        (
            "a category that has others below it is removed",
            "any(each.parent_id == category_id for each in draft.categories.rows()) or ",
            "",
        ),
        (
            "a category with products is removed",
            " or any(\n"
            "            product.is_active and category_id in product.category_ids for product in draft.products.rows()\n"
            "        )",
            "",
        ),
        ("archived products hold on to their category", "product.is_active and category_id in", "category_id in"),
        ("a category that is in use is told in another way", "raise CategoryInUse()", "raise Contention()"),
    ),
    *mutants(
        "adapters.memory.catalog",
        "ConventionsContract",
        (
            "a category's version may skip some",
            "if category.version != stored.version + 1:",
            "if category.version <= stored.version:",
        ),
        (
            "a category keeps the offset it was given with",
            "draft.categories.put(category.id, in_utc(category))\n"
            "        draft.categories_by_name.put(name, category.id)\n"
            "\n",
            "draft.categories.put(category.id, category)\n        draft.categories_by_name.put(name, category.id)\n\n",
        ),
        (
            "a product's version may skip some",
            "if product.version != stored.version + 1:",
            "if product.version <= stored.version:",
        ),
        (
            "a product keeps the offsets it was given with",
            "product = in_utc(replace(",
            "product = (lambda same: same)(replace(",
        ),
        ("a price change keeps the offset it was given with", "in_utc(change))", "change)"),
    ),
    *mutants(
        "adapters.memory.catalog",
        "ProductsContract",
        (
            "a new product begins with the stock it says",
            "draft.shelves.put(product.id, Shelf())",
            "draft.shelves.put(product.id, Shelf(on_hand=product.stock, sold=product.units_sold))",
        ),
        (
            "a product is not found by its slug",
            "        if product is None and (product_id := tables.products_by_slug.get(product_id_or_slug)) is not None:\n"
            "            product = tables.products.get(product_id)\n",
            "",
        ),
        (
            "an archived product is not found",
            "if product is None:\n            raise NotFound",
            "if product is None or not product.is_active:\n            raise NotFound",
        ),
        (
            "ids that are not there stop the others from being found",
            "return {each: with_facts(self._tables, product) for each, product in found.items() if product is not None}",
            "return {each: with_facts(self._tables, product) for each, product in found.items()}",
        ),
        (
            "a SKU is looked for whatever its case",
            "self._tables.products_by_sku.get(sku) for sku in set(skus)",
            "self._tables.products_by_sku.get(sku.upper()) for sku in set(skus)",
        ),
        (
            "archived products are not found by SKU",
            "return {product.sku: product for product in found.values()}",
            "return {product.sku: product for product in found.values() if product.is_active}",
        ),
        ("archived variants are shown", "if each.group == group and each.is_active", "if each.group == group"),
        ("variants come by id", "sorted(found, key=lambda each: each.sku)", "sorted(found, key=lambda each: each.id)"),
        ("the version of a product is ignored", "if product.version != stored.version + 1:", "if False:"),
        (
            "two products may have one SKU",
            "if draft.products_by_sku.get(product.sku) not in (None, product.id):",
            "if False:",
        ),
        (
            "the SKU of an archived product is free",
            "if draft.products_by_sku.get(product.sku) not in (None, product.id):",
            "if any(each.is_active and each.sku == product.sku and each.id != product.id for each in draft.products.rows()):",
        ),
        ("a SKU that is taken is told in another way", "raise SkuTaken()", "raise Contention()"),
        ("a SKU that was given up stays taken", "            draft.products_by_sku.drop(stored.sku)\n", ""),
        ("a slug that was given up stays taken", "            draft.products_by_slug.drop(stored.slug)\n", ""),
        ("two products may have one slug", "slug=self._free(product), ", ""),
        (
            "selling is forgotten when staff edit",
            "        self._write(product, stored, at)",
            "        self._draft.shelves.put(product.id, Shelf())\n        self._write(product, stored, at)",
        ),
        (
            "staff who edit set the stock",
            "        self._write(product, stored, at)",
            "        self._draft.shelves.put(product.id, Shelf(on_hand=product.stock, sold=product.units_sold))\n"
            "        self._write(product, stored, at)",
        ),
    ),
    *mutants(
        "adapters.memory.catalog",
        "UnitsContract",
        (
            "products are locked in a unit that only reads",
            "        _ = self._draft\n        return self.some(product_ids)",
            "        return self.some(product_ids)",
        ),
    ),
    *mutants(
        "adapters.memory.catalog",
        "ProductListsContract",
        (
            "archived products are not among every product",
            "page_of(self._tables.products.rows(), page, lambda each: (each.id,))",
            "page_of((each for each in self._tables.products.rows() if each.is_active), page, lambda each: (each.id,))",
        ),
        (
            "every product is listed newest first",
            "page_of(self._tables.products.rows(), page, lambda each: (each.id,))",
            "page_of(self._tables.products.rows(), page, lambda each: (each.id,), descending=True)",
        ),
        (
            "the list shows products without their stock",
            'matching(tables, query), page, lambda each: key(tables, each), descending=query.sort == "newest"\n'
            "        )\n"
            "        return found.map(lambda each: with_facts(tables, each))",
            'matching(tables, query), page, lambda each: key(tables, each), descending=query.sort == "newest"\n'
            "        )\n"
            "        return found",
        ),
        ("newest are the last in the list", 'descending=query.sort == "newest"', "descending=False"),
    ),
    *mutants(
        "adapters.memory.catalog",
        "PricesContract",
        (
            "a discount that begins at this very moment is not due",
            "if moment <= at)[:limit]",
            "if moment < at)[:limit]",
        ),
        ("all prices are refreshed however few were asked for", "if moment <= at)[:limit]", "if moment <= at)"),
        (
            "a price that was refreshed is due again",
            "                self._keep_price(product, at)\n        found",
            "                draft.kept_prices.put(product_id, product.final_price(at).minor)\n        found",
        ),
        ("the kept price is the list price", "product.final_price(at).minor)", "product.price.minor)"),
        (
            "saving keeps the price without the discount",
            "        self._keep_price(product, at)\n        keep_document",
            "        draft.kept_prices.put(product.id, product.price.minor)\n        keep_document",
        ),
        (
            "changes of one moment come in any order",
            "tuple(sorted(history, key=lambda each: each.at))",
            "tuple(sorted(history, key=lambda each: (each.at, each.final_price.minor)))",
        ),
        ("changes that come late are the latest", "tuple(sorted(history, key=lambda each: each.at))", "tuple(history)"),
        (
            "the price history is listed oldest first",
            "lambda pair: (ticks(pair[1].at), pair[0]), descending=True)",
            "lambda pair: (ticks(pair[1].at), pair[0]))",
        ),
        (
            "the history since a time begins after it",
            "return history[max(earlier - 1, 0) :]",
            "return history[earlier:]",
        ),
        (
            "the history since a time begins with the change of that moment",
            "sum(change.at < since for change in history)",
            "sum(change.at <= since for change in history)",
        ),
        ("the whole history is told whatever was asked", "return history[max(earlier - 1, 0) :]", "return history"),
    ),
    *mutants(
        "adapters.memory.listing",
        "ProductListsContract",
        ("archived products are listed", "        if product.is_active\n        and", "        if"),
        (
            "a list of a category leaves out what is filed below it",
            "shelves = _below(tables, query.category_id)",
            "shelves = {query.category_id}",
        ),
        ("a list of a category goes one level deep", "        added = not below <= found\n", "        added = False\n"),
        (
            "prices are filtered by the list price",
            "    price = _price(tables, product)\n",
            "    price = product.price.minor\n",
        ),
        ("the least price is not in the range", "price >= query.min_price", "price > query.min_price"),
        ("the greatest price is not in the range", "price <= query.max_price", "price < query.max_price"),
        (
            "only what is in stock can be asked for",
            "query.in_stock == (_shelf(tables, product).on_hand > 0)",
            "_shelf(tables, product).on_hand > 0",
        ),
        ("the group is ignored", "(query.group is None or query.group == product.group)\n        and ", ""),
        (
            "one attribute is enough",
            "all(product.attributes.get(name) == value for name, value in query.attributes)",
            "(not query.attributes or any(product.attributes.get(name) == value for name, value in query.attributes))",
        ),
        (
            "attributes are compared whatever their case",
            "all(product.attributes.get(name) == value for name, value in query.attributes)",
            'all((product.attributes.get(name) or "").lower() == value.lower() for name, value in query.attributes)',
        ),
        (
            "products are sorted by name as it is written",
            "(fold(each.name), each.id)",
            "(each.name, each.id)",
        ),
        ("dear products come by the list price", "(-_price(tables, each), each.id)", "(-each.price.minor, each.id)"),
        (
            "the cheapest come by the list price",
            '"price": lambda tables, each: (_price(tables, each), each.id)',
            '"price": lambda tables, each: (each.price.minor, each.id)',
        ),
        (
            "popularity is what is on the shelf",
            "(-_shelf(tables, each).sold, each.id)",
            "(-_shelf(tables, each).on_hand, each.id)",
        ),
        (
            "equals are shown the newest first",
            '"price": lambda tables, each: (_price(tables, each), each.id)',
            '"price": lambda tables, each: (_price(tables, each), *(-ord(one) for one in each.id))',
        ),
        (
            "pages of one price lose rows",
            '"price": lambda tables, each: (_price(tables, each), each.id)',
            '"price": lambda tables, each: (_price(tables, each),)',
        ),
    ),
    *mutants(
        "adapters.memory.listing",
        "ReviewsContract",
        (
            "averages are cut, not rounded",
            "int(average * 100) if average is not None else 0",
            "int(average * 10) * 10 if average is not None else 0",
        ),
        ("who rates best comes last", "(-_stars(tables, each), each.id)", "(_stars(tables, each), each.id)"),
        (
            "the least rating is not in the range",
            "_stars(tables, product) >= query.min_rating * 100",
            "_stars(tables, product) > query.min_rating * 100",
        ),
    ),
    *mutants(
        "adapters.memory.counting",
        "ProductCountsContract",
        (
            "categories are counted under the one that is chosen",
            "_by_category(tables, replace(query, category_id=None))",
            "_by_category(tables, query)",
        ),
        (
            "prices are counted within the range that is chosen",
            "matching(tables, replace(query, min_price=None, max_price=None))",
            "matching(tables, query)",
        ),
        (
            "what is filed below a category is not counted in it",
            "            above = category.parent_id\n",
            "            above = None\n",
        ),
        (
            "a product on two shelves of one tree counts twice",
            "for each in set(_above(tables, product))",
            "for each in _above(tables, product)",
        ),
        ("a chosen attribute's other values are not counted", "if pair[0] != name", "if True"),
        ("more attributes are told than are wanted", "[:MOST_FACETS])", ")"),
        (
            "the rarest attributes are told",
            "key=lambda pair: (-pair[1], pair[0])",
            "key=lambda pair: (pair[1], pair[0])",
        ),
        (
            "prices are not cut",
            "            cut(tables.kept_prices.get(product.id) or 0)\n",
            "            tables.kept_prices.get(product.id) or 0\n",
        ),
    ),
    *mutants(
        "adapters.memory.search",
        "SearchContract",
        ("a unit that writes has a lexicon", "if self._space.writable:", "if False:"),
        ("nothing matches anything", "return any(meets(", "return not any(meets("),
        (
            "units sold are told of archived products",
            "if product is not None and product.is_active]",
            "if product is not None]",
        ),
        (
            "units sold are what is on the shelf",
            "or Shelf()).sold for each in on_sale}",
            "or Shelf()).on_hand for each in on_sale}",
        ),
        ("products above an id begin with it", "if product_id > after)", "if product_id >= after)"),
        ("so many products are all", "return nsmallest(limit, self._ids(after))", "return sorted(self._ids(after))"),
        ("every document is outdated", "if not self._is_current(each)))", "if True))"),
        (
            "archived products are not counted",
            "return sum(1 for _ in self._tables.products.items())",
            "return sum(each.is_active for each in self._tables.products.rows())",
        ),
        (
            "all documents that were looked at count as written",
            'return (draft.last_numbers.get("documents") or 0) - before',
            "return len(list(products))",
        ),
        (
            "suggestions know products as they were",
            "if each.changed > self._changed and product is not None:",
            "if self._changed == 0 and product is not None:",
        ),
        (
            "suggestions know categories that are gone",
            "        self._lexicon.put_categories(tables.categories.rows())\n",
            "        if not self._lexicon._shelves:\n"
            "            self._lexicon.put_categories(tables.categories.rows())\n",
        ),
    ),
    *mutants(
        "adapters.memory.ranking",
        "SearchContract",
        (
            "a name counts as much as a description",
            "NAME, LABELS, DETAILS = 6.0, 4.0, 1.0",
            "NAME, LABELS, DETAILS = 1.0, 1.0, 1.0",
        ),
        (
            "labels count less than descriptions",
            "NAME, LABELS, DETAILS = 6.0, 4.0, 1.0",
            "NAME, LABELS, DETAILS = 6.0, 1.0, 4.0",
        ),
        ("the worst come first", "(-scores[each.id], -(", "(scores[each.id], -("),
        ("equals come by id alone", "-(tables.shelves.get(each.id) or Shelf()).sold, each.id)", "each.id)"),
        (
            "the last page of a list by relevance says that there is another",
            "if len(found) > end and",
            "if len(found) >= end and",
        ),
        ("a document stays as it was first", "if kept is None or kept.document != document:", "if kept is None:"),
        (
            "products that match are shown without their stock",
            "found = [with_facts(tables, each) for each in matching(tables, query)]",
            "found = list(matching(tables, query))",
        ),
    ),
    *mutants(
        "adapters.memory.stock",
        "StockContract",
        (
            "the shelf falls below zero",
            "        if short := shortages({each: -change for each, change in changes.items()}, on_hand):\n"
            "            raise OutOfStock(lines=short)\n",
            "",
        ),
        ("only the first short product is named", "raise OutOfStock(lines=short)", "raise OutOfStock(lines=short[:1])"),
        (
            "each move is weighed alone",
            "changes[move.product_id] += move.change",
            "changes[move.product_id] = move.change",
        ),
        (
            "an unknown product moves nothing and nobody is told",
            'raise NotFound("There is no such product.")',
            "return on_hand",
        ),
        ("sales count the other way round", "shelf.sold - change if sold", "shelf.sold + change if sold"),
        (
            "whatever leaves the shelf counts as sold",
            "sales = shelf.sold - change if sold else shelf.sold",
            "sales = shelf.sold - change",
        ),
        (
            "what is put back stays sold",
            "sales = shelf.sold - change if sold else shelf.sold",
            "sales = shelf.sold - min(change, 0) if sold else shelf.sold",
        ),
        (
            "the ledger forgets all but the last of several moves",
            "        for move in moves:\n            draft.moves.put(",
            "        for move in moves[-1:]:\n            draft.moves.put(",
        ),
        (
            "the ledger is listed oldest first",
            "lambda move: (ticks(move.at), move.id), descending=True)",
            "lambda move: (ticks(move.at), move.id))",
        ),
        (
            "the ledger is listed by id alone",
            "lambda move: (ticks(move.at), move.id), descending=True)",
            "lambda move: (move.id,), descending=True)",
        ),
        (
            "unknown products have none left, instead of not being there",
            "return {each: shelf.on_hand for each, shelf in shelves.items() if shelf is not None}",
            "return {each: shelf.on_hand if shelf else 0 for each, shelf in shelves.items()}",
        ),
        (
            "archived products run low",
            "for each in tables.products.rows() if each.is_active)",
            "for each in tables.products.rows())",
        ),
        ("what has exactly so few left does not run low", "if each.stock <= at_most)", "if each.stock < at_most)"),
        ("what runs low is listed by id", "lambda each: (each.stock, each.id))", "lambda each: (each.id,))"),
        ("what is left is told as it was before", "        return self.on_hand(changes)", "        return on_hand"),
    ),
    *mutants(
        "adapters.memory.stock",
        "ConventionsContract",
        ("a move keeps the offset it was given with", "in_utc(move)))", "move))"),
    ),
    *mutants(
        "adapters.memory.wishes",
        "WishesContract",
        ("a product can be wished twice", "if key in draft.wishes:", "if False:"),
        ("a second wish is told in another way", "raise AlreadyWished()", "raise NotFound()"),
        (
            "taking back a wish that is not there is fine",
            'raise NotFound("This product is not on the wishlist.")',
            "return",
        ),
        ("clearing one list clears all", "for wish in self._of(user_id):", "for wish in list(draft.wishes.rows()):"),
        ("all wishes are counted", "return len(self._of(user_id))", "return len(list(self._tables.wishes.rows()))"),
        (
            "wishes are listed oldest first",
            "(ticks(each.created_at), each.product_id), descending=True)",
            "(ticks(each.created_at), each.product_id))",
        ),
        (
            "news is kept that nobody waits for",
            "            if alert.product_id in wished:\n                draft",
            "            if True:\n                draft",
        ),
        (
            "the newest news is told first",
            "return min(self._draft.wish_alerts.rows()",
            "return max(self._draft.wish_alerts.rows()",
        ),
        ("who wished at the moment of the news is told", "wish.created_at < alert.at", "wish.created_at <= alert.at"),
        ("who wished later is told", " and wish.created_at < alert.at", ""),
        ("wishers are told again from the beginning", " and wish.user_id > alert.told", ""),
        ("banned wishers are told", "if user is not None and user.is_active][:limit]", "if user is not None][:limit]"),
        (
            "banned wishers count among so many",
            "            for wish in tables.wishes.rows()\n"
            "            if wish.product_id == alert.product_id and wish.user_id > alert.told and wish.created_at < alert.at\n"
            "        )",
            "            for wish in tables.wishes.rows()\n"
            "            if wish.product_id == alert.product_id and wish.user_id > alert.told and wish.created_at < alert.at\n"
            "        )[:limit]",
        ),
        ("news goes on where it began", "replace(alert, told=up_to)", "alert"),
        ("news of which all were told stays", "            draft.wish_alerts.drop(alert_id)\n", "            pass\n"),
    ),
    *mutants(
        "adapters.memory.wishes",
        "ConventionsContract",
        (
            "a wish keeps the offset it was given with",
            "draft.wishes.put(key, in_utc(wish))",
            "draft.wishes.put(key, wish)",
        ),
    ),
    *mutants(
        "adapters.memory.wishes",
        "UnitsContract",
        (
            "the oldest news is looked up in a unit that only reads",
            "return min(self._draft.",
            "return min(self._tables.",
        ),
    ),
    *mutants(
        "adapters.memory.coupons",
        "CouponsContract",
        ("two coupons may have one code", "if coupon.code in draft.coupons_by_code:", "if False:"),
        (
            "a coupon can be given a code that is taken",
            "if draft.coupons_by_code.get(coupon.code) not in (None, coupon.id):",
            "if False:",
        ),
        ("a code that was given up stays taken", "        draft.coupons_by_code.drop(stored.code)\n", ""),
        ("the version of a coupon is ignored", "if coupon.version != stored.version + 1:", "if False:"),
        (
            "an unknown coupon is a mistake of the program",
            'raise NotFound("There is no such coupon.")',
            "raise LookupError(coupon_id)",
        ),
        (
            "staff who edit a coupon set its uses",
            "uses=self._tables.coupon_counts.get((coupon.id, None)) or 0",
            "uses=max(coupon.uses, self._tables.coupon_counts.get((coupon.id, None)) or 0)",
        ),
        (
            "coupons are listed oldest first",
            "lambda each: (ticks(each.created_at), each.id), descending=True)",
            "lambda each: (ticks(each.created_at), each.id))",
        ),
        ("lists show coupons as never used", ".map(\n            self._counted\n        )", ""),
        ("a coupon is used once more than it may", "stored.uses >= stored.max_uses:", "stored.uses > stored.max_uses:"),
        ("a user has one use more than their share", ">= stored.max_uses_per_user:", "> stored.max_uses_per_user:"),
        (
            "the limits are those of the coupon as it was read",
            "draft, stored = self._draft, self.get(coupon.id)\n        if stored.max_uses is not None",
            "draft, stored = self._draft, coupon\n        if stored.max_uses is not None",
        ),
        ("a use is given back as often as it is asked", "            draft.coupon_uses.drop(order_id)\n", ""),
        ("a use that is given back still counts for its user", "self._count(*use, -1)", 'self._count(use[0], "", -1)'),
        ("uses are counted for everybody at once", "get((coupon_id, user)) or 0\n", "get((coupon_id, None)) or 0\n"),
        (
            "a use is refused in another way",
            'raise CouponNotApplicable(f"The coupon {stored.code} has been used up.")',
            "raise Contention()",
        ),
    ),
    *mutants(
        "adapters.memory.coupons",
        "ConventionsContract",
        (
            "a coupon's version may skip some",
            "if coupon.version != stored.version + 1:",
            "if coupon.version <= stored.version:",
        ),
        (
            "a coupon keeps the offsets it was given with",
            "draft.coupons.put(coupon.id, in_utc(coupon))\n"
            "        draft.coupons_by_code.put(coupon.code, coupon.id)\n"
            "\n"
            "    def get",
            "draft.coupons.put(coupon.id, coupon)\n"
            "        draft.coupons_by_code.put(coupon.code, coupon.id)\n"
            "\n"
            "    def get",
        ),
    ),
)
