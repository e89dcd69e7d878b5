"""Own the table of AI crawlers: which product token is documented to serve which purpose.

A token stands here only when its operator documents what disallowing it means; crawlers that many
sites block but nobody documents (Bytespider, for one) are left out. A crawler that serves several
purposes has all of them. Gathered in 2026 from what the operators
publish, partly at second hand; check a token at its operator before relying on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tribute.vocabulary import Purpose

CRAWLERS_VERSION = "crawlers/1"


@dataclass(frozen=True, slots=True)
class Crawler:
    """One product token; page: where its operator documents it."""

    token: str
    operator: str
    purposes: tuple[Purpose, ...]
    page: str


_TRAINS = (Purpose.TRAIN_AI,)
_ANSWERS = (Purpose.AI_INPUT,)
_OPENAI = "https://developers.openai.com/docs/bots"
_ANTHROPIC = "https://support.claude.com/en/articles/8896518"

_TABLE = (
    Crawler("GPTBot", "OpenAI", _TRAINS, _OPENAI),
    Crawler("OAI-SearchBot", "OpenAI", _ANSWERS, _OPENAI),
    Crawler("ChatGPT-User", "OpenAI", _ANSWERS, _OPENAI),
    Crawler("ClaudeBot", "Anthropic", _TRAINS, _ANTHROPIC),
    Crawler("Claude-SearchBot", "Anthropic", _ANSWERS, _ANTHROPIC),
    Crawler("Claude-User", "Anthropic", _ANSWERS, _ANTHROPIC),
    Crawler(
        "Google-Extended",
        "Google",
        (Purpose.TRAIN_AI, Purpose.AI_INPUT),
        "https://developers.google.com/search/docs/crawling-indexing/google-common-crawlers",
    ),
    Crawler("Applebot-Extended", "Apple", _TRAINS, "https://support.apple.com/en-us/119829"),
    Crawler(
        "CCBot",
        "Common Crawl",
        (Purpose.TRAIN_AI, Purpose.TRAIN_OTHER, Purpose.DATA_MINING),
        "https://commoncrawl.org/ccbot",
    ),
    Crawler(
        "meta-externalagent",
        "Meta",
        _TRAINS,
        "https://developers.facebook.com/docs/sharing/webmasters/web-crawlers",
    ),
    Crawler("PerplexityBot", "Perplexity", _ANSWERS, "https://docs.perplexity.ai/guides/bots"),
)

CRAWLERS: Mapping[str, Crawler] = MappingProxyType({c.token.lower(): c for c in _TABLE})
