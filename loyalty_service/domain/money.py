"""Money as whole minor units of an ISO 4217 currency: what is known about each currency.

The codes are those of money a shop can charge in: no precious metals, funds codes or test codes.
The exponents are ISO's; a payment provider may count a currency otherwise (Stripe does for a few),
and turning one into the other belongs to its gateway.
"""

import re

from loyalty_service.domain.limits import INTEGER_MAX

_IN_USE = """
aed afn all amd aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd btn bwp byn bzd
cad cdf chf clp cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs
gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw
krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn myr
mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr
sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx
usd uyu uzs ved ves vnd vuv wst xaf xcd xcg xof xpf yer zar zmw zwg
"""
_CODES = frozenset(_IN_USE.split())
_WITHOUT_DECIMALS = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf"
_WITH_THREE = "bhd iqd jod kwd lyd omr tnd"
_EXPONENTS = dict.fromkeys(_WITHOUT_DECIMALS.split(), 0) | dict.fromkeys(_WITH_THREE.split(), 3)
_MAJOR = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?")


def is_currency(code: str) -> bool:
    """Say whether `code` is a lower-case ISO 4217 code of money in use."""
    return code in _CODES


def exponent(currency: str) -> int:
    """Return how many decimals the currency has; raise ValueError for an unknown code."""
    if currency not in _CODES:
        raise ValueError(f"{currency!r} is not a lower-case ISO 4217 currency code")
    return _EXPONENTS.get(currency, 2)


def parse_major(text: str, currency: str) -> int:
    """Read "3.00" as 300 minor units, from the text itself and so exactly.

    Raises ValueError for anything but digits with at most the currency's decimals, for a sign, and
    for an amount above `INTEGER_MAX`.
    """
    decimals = exponent(currency)
    match = _MAJOR.fullmatch(text)
    fraction = (match[2] or "") if match else ""
    if match is None or len(fraction) > decimals:
        example = format_major(10**decimals, currency)
        raise ValueError(f"is not an amount in {currency}; write it like {example}")
    amount_minor = int(match[1] + fraction.ljust(decimals, "0"))
    if amount_minor > INTEGER_MAX:
        raise ValueError(f"is too much; give at most {format_major(INTEGER_MAX, currency)}")
    return amount_minor


def format_major(amount_minor: int, currency: str) -> str:
    """Write 300 minor units as "3.00"; raise ValueError for an unknown currency."""
    decimals = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"
