"""Which addresses are asked: what a hostile feed writes is refused with a code, whatever it is wrapped in."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from pipelines.config import FetchSection
from pipelines.shop_files.web.addresses import CheckedResolver, RefusedError, Rules, is_public, shown

NONE = Rules()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://127.0.0.1/a.jpg", "refused_address"),
        ("http://127.1/a.jpg", "bad_address"),
        ("http://2130706433/a.jpg", "bad_address"),
        ("http://0177.0.0.1/a.jpg", "bad_address"),
        ("http://10.0.0.7/a.jpg", "refused_address"),
        ("http://192.168.1.1/a.jpg", "refused_address"),
        ("http://172.16.0.1:8080/a.jpg", "refused_address"),
        ("http://100.100.100.200/latest/meta-data", "refused_address"),
        ("http://169.254.169.254/computeMetadata/v1/", "refused_address"),
        ("http://168.63.129.16/machine", "refused_address"),
        ("http://0.0.0.0/a.jpg", "refused_address"),
        ("http://224.0.0.1/a.jpg", "refused_address"),
        ("http://[::1]/a.jpg", "refused_address"),
        ("http://[::ffff:127.0.0.1]/a.jpg", "refused_address"),
        ("http://[::ffff:a9fe:a9fe]/a.jpg", "refused_address"),
        ("http://[64:ff9b::7f00:1]/a.jpg", "refused_address"),
        ("http://[2002:7f00:1::]/a.jpg", "refused_address"),
        ("http://[fd00:ec2::254]/a.jpg", "refused_address"),
        ("http://[fe80::1%25eth0]/a.jpg", "refused_address"),
        ("http://①②⑦.⓪.⓪.①/a.jpg", "refused_address"),
        ("file:///etc/passwd", "unsupported_scheme"),
        ("gopher://shop.example/1", "unsupported_scheme"),
        ("ftp://shop.example/a.jpg", "unsupported_scheme"),
        ("http://user:secret@shop.example/a.jpg", "bad_address"),
        ("https://token@shop.example/a.jpg", "bad_address"),
        ("https:///a.jpg", "bad_address"),
        ("https://shop.example:99999/a.jpg", "bad_address"),
        ("https://" + "a" * 5000, "bad_address"),
    ],
)
def test_what_is_never_asked(address: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        NONE.parse(address)
    assert refused.value.code == code
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("https://cdn.shop.example/a b.jpg", "https://cdn.shop.example/a%20b.jpg"),
        ("https://cdn.shop.example/a%20b.jpg?w=100&h=2#top", "https://cdn.shop.example/a%20b.jpg?w=100&h=2"),
        ("https://cdn.shop.example/Größe/日本.jpg", "https://cdn.shop.example/Gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC.jpg"),
        ("HTTPS://CDN.shop.example/A.JPG", "https://cdn.shop.example/A.JPG"),
        ("https://münchen.example/a.jpg", "https://xn--mnchen-3ya.example/a.jpg"),
        ("  https://shop.example/50%.jpg ", "https://shop.example/50%25.jpg"),
        ("https://shop.example/a?text=New In&x=a+b", "https://shop.example/a?text=New%20In&x=a+b"),
        ("https://shop.example/a[1]|(2).jpg?w[]=1&f={a|b}", "https://shop.example/a[1]|(2).jpg?w[]=1&f={a|b}"),
        ("https://shop.example/a%2Fb%2d%7E.jpg?s=%2B%2f%3D", "https://shop.example/a%2Fb%2d%7E.jpg?s=%2B%2f%3D"),
        ('https://shop.example/{a}"<b>`.jpg?q="<\'>', "https://shop.example/%7Ba%7D%22%3Cb%3E%60.jpg?q=%22%3C%27%3E"),
        ("https://shop.example/a/./b/../c.jpg?d=/../e", "https://shop.example/a/c.jpg?d=/../e"),
        ("https://shop.example\\a\\b.jpg?c=\\d", "https://shop.example/a/b.jpg?c=\\d"),
        ("https://shop.example/a\n\tb.jpg", "https://shop.example/ab.jpg"),
        ("https://shop.example/a?q=Größe", "https://shop.example/a?q=Gr%C3%B6%C3%9Fe"),
        ("https://shop.example/a?", "https://shop.example/a"),
        ("https://shop.example:8443?a=b", "https://shop.example:8443/?a=b"),
        ("https://shop.example/a//b;c=1,w_400/d@e:f$!*~.jpg", "https://shop.example/a//b;c=1,w_400/d@e:f$!*~.jpg"),
    ],
)
def test_addresses_as_shops_write_them(address: str, asked: str) -> None:
    assert str(NONE.parse(address)) == asked


def test_what_the_config_allows_is_asked() -> None:
    rules = Rules.of(FetchSection(allowed_networks=["10.1.0.0/16", "photos.internal"]))
    assert rules.parse("http://10.1.2.3/a.jpg").host == "10.1.2.3"
    with pytest.raises(RefusedError, match=r"add it to fetch\.allowed_networks"):
        rules.parse("http://10.2.2.3/a.jpg")
    rules.check("photos.internal", "192.168.0.9")


def resolved(monkeypatch: pytest.MonkeyPatch, *addresses: str, rules: Rules = NONE) -> list[Any]:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]

    async def known(*_: Any, **__: Any) -> list[Any]:
        return found

    async def resolve() -> list[Any]:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", known)
        return list(await CheckedResolver(rules).resolve("shop.example", 443))

    return asyncio.run(resolve())


def test_a_name_that_leads_to_a_private_machine_is_refused_and_so_is_one_that_leads_there_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [one["host"] for one in resolved(monkeypatch, "93.184.216.34")] == ["93.184.216.34"]
    for addresses in (["127.0.0.1"], ["93.184.216.34", "169.254.169.254"]):
        with pytest.raises(RefusedError, match=r"shop\.example leads to"):
            resolved(monkeypatch, *addresses)


def test_public_is_what_the_internet_has() -> None:
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:2800:220:1::1"))
    assert is_public(ipaddress.ip_address("64:ff9b::5db8:d822"))  # 93.184.216.34 behind NAT64


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://u:p@shop.example/a.jpg?sig=secret#x") == "https://…@shop.example/a.jpg"
