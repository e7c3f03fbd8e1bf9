"""What every screen is held to: nothing that axe finds serious, nothing that jumps, nothing that scrolls sideways."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 900}},
}
SHIFTS = """window.__shift = 0; window.__shifted = []; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
        window.__shift += entry.value;
        window.__shifted.push(...entry.sources.map(({ node }) => (node?.outerHTML ?? node?.textContent ?? 'gone').slice(0, 90)));
    }
}).observe({ type: 'layout-shift', buffered: true });"""
MOST_SHIFT = 0.02


def axe(page: Any) -> list[str]:
    """What axe-core finds serious or critical: rule, and where. The policy that keeps foreign scripts out does not hold for what the test itself evaluates."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['target']} {node['failureSummary'].splitlines()[-1].strip()}" for one in grave for node in one["nodes"]]


def listen_for_shifts(page: Any) -> None:
    """Before the page is opened."""
    page.add_init_script(SHIFTS)


def shift(page: Any) -> float:
    """All layout shifts since the page was opened, added up."""
    return float(page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.__shift))))"))


def shifted(page: Any) -> list[str]:
    """What it was that moved."""
    return list(page.evaluate("window.__shifted"))


def scrolls_sideways(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def texts(page: Any, selector: str) -> list[str]:
    """What a viewer sees, and would copy."""
    return [str(text).strip() for text in page.locator(selector).all_inner_texts()]


def hide(page: Any, is_hidden: bool = True) -> None:
    """As a tab behind another one is told. Playwright keeps every page visible, so that the browser cannot tell it by itself."""
    page.evaluate(
        "(isHidden) => { Object.defineProperty(document, 'hidden', { get: () => isHidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )
