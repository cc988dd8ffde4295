/* Follows work that is under way without reloading the page; without this script there is a link to look again. */
(function () {
  "use strict";

  const EVERY = 2000;
  const place = () => document.querySelector("[data-follow]");

  async function look() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.querySelector("[data-follow]");
    if (!news) {
      location.reload();
      return;
    }
    ["[data-follow-text]", "progress"].forEach((part) => {
      const old = place().querySelector(part);
      const fresh = news.querySelector(part);
      if (old.outerHTML !== fresh.outerHTML) old.replaceWith(fresh);
    });
    setTimeout(follow, EVERY);
  }

  function follow() {
    look().catch(() => setTimeout(follow, 5 * EVERY));
  }

  if (place()) setTimeout(follow, EVERY);
})();
