"""Who may do what: permissions are ``resource:action`` names, and a role is a set of them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody is to the shop."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    PRODUCT_MANAGER = "product_manager"
    SALES_MANAGER = "sales_manager"
    SUPPORT_AGENT = "support_agent"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that somebody may do."""

    CATALOG_WRITE = "catalog:write"
    STOCK_ADJUST = "stock:adjust"
    CATEGORIES_WRITE = "categories:write"
    PRICES_WRITE = "prices:write"
    ORDERS_PLACE = "orders:place"
    ORDERS_READ_ALL = "orders:read_all"
    ORDERS_FULFIL = "orders:fulfil"
    REFUNDS_DECIDE = "refunds:decide"
    RETURNS_RECEIVE = "returns:receive"
    REVIEWS_MODERATE = "reviews:moderate"
    INVOICES_READ_ALL = "invoices:read_all"
    REPORTS_READ = "reports:read"
    SUPPORT_AGENT = "support:agent"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    AUDIT_READ = "audit:read"


_P = Permission
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.CUSTOMER: frozenset({_P.ORDERS_PLACE}),
        Role.VENDOR: frozenset({_P.ORDERS_PLACE, _P.ORDERS_READ_ALL, _P.ORDERS_FULFIL}),
        Role.PRODUCT_MANAGER: frozenset(
            {
                _P.CATALOG_WRITE,
                _P.STOCK_ADJUST,
                _P.CATEGORIES_WRITE,
                _P.ORDERS_PLACE,
                _P.ORDERS_READ_ALL,
                _P.ORDERS_FULFIL,
                _P.RETURNS_RECEIVE,
                _P.REVIEWS_MODERATE,
                _P.INVOICES_READ_ALL,
            }
        ),
        Role.SALES_MANAGER: frozenset(
            {
                _P.PRICES_WRITE,
                _P.ORDERS_PLACE,
                _P.ORDERS_READ_ALL,
                _P.REFUNDS_DECIDE,
                _P.INVOICES_READ_ALL,
                _P.REPORTS_READ,
            }
        ),
        Role.SUPPORT_AGENT: frozenset({_P.ORDERS_PLACE, _P.ORDERS_READ_ALL, _P.SUPPORT_AGENT}),
        Role.ADMIN: frozenset(Permission),
    }
)


def effective(role: Role, grants: Mapping[Permission, bool]) -> frozenset[Permission]:
    """A role's permissions with one person's own grants and denials applied."""
    granted = {permission for permission, allowed in grants.items() if allowed}
    return (ROLE_PERMISSIONS[role] | granted) - {permission for permission, allowed in grants.items() if not allowed}
