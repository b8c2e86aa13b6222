"""Images from addresses."""

import http.client
import urllib.error
import urllib.request
from typing import Any

LARGEST = 2**27  # bytes
PATIENCE = 30.0  # seconds without an answer


def is_address(source: Any) -> bool:
    """Whether something is an address of the web."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def download(address: str) -> bytes:
    """The content of a file on the web.

    Raises:
        OSError: it cannot be had, or has more than 128 MiB; the message names the address.
    """
    request = urllib.request.Request(address, headers={"User-Agent": "keras_cornernet"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            content: bytes = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        raise OSError(f"{address}: the server answers {error.code} ({error.reason})") from None
    except urllib.error.URLError as error:
        raise OSError(f"{address}: {error.reason}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OSError(f"{address}: {error or type(error).__name__}") from None
    if len(content) > LARGEST:
        raise OSError(f"{address}: more than {LARGEST // 2**20} MiB")
    return content
