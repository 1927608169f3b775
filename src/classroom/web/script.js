// What scrolls sideways can be reached with the keyboard.
const reach = () => document.querySelectorAll("pre, .wide").forEach((box) => {
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  scrolls ? box.setAttribute("tabindex", 0) : box.removeAttribute("tabindex");
});
addEventListener("resize", reach);
addEventListener("toggle", reach, true);
reach();

// Everything that is closed opens at once, and closes again.
const all = document.querySelector("#open");
if (all) {
  const closed = document.querySelectorAll("main details");
  all.hidden = !closed.length;
  all.onclick = () => {
    const open = all.getAttribute("aria-pressed") != "true";
    all.setAttribute("aria-pressed", open);
    closed.forEach((part) => { part.open = open; });
  };
}

// The search page asks pagefind, whose files lie beside the pages.
const found = document.querySelector("#found"), said = document.querySelector("#said");
const query = new URLSearchParams(location.search).get("q");
const search = async () => {
  document.querySelector("[type=search]").value = query;
  const pagefind = await import("./pagefind/pagefind.js");
  const { results } = await pagefind.search(query);
  const pages = await Promise.all(results.slice(0, 10).map((result) => result.data()));
  const places = pages.flatMap((page) => page.sub_results.slice(0, 3).map((place) => ({ ...place, page: page.meta.title })));
  said.textContent = `${results.length} of the pages say something about “${query}”.`;
  for (const { url, title, excerpt, page } of places) {
    const item = found.appendChild(document.createElement("li")), link = item.appendChild(document.createElement("a"));
    Object.assign(link, { href: url, textContent: title == page ? page : `${page} · ${title}` });
    item.appendChild(document.createElement("p")).innerHTML = excerpt;  // pagefind's, escaped but for <mark>
  }
};
if (found && query) {
  search().catch(() => { said.textContent = "The search needs a web server: python -m http.server in the folder of these pages."; });
}

// Light or dark, as the computer has it until the reader chooses; the choice is kept.
const button = document.querySelector("#theme"), dark = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) == "dark";
const name = () => { button.textContent = isDark() ? "Light mode" : "Dark mode"; };
button.hidden = false;
button.onclick = () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  name();
  localStorage.setItem("theme", root.dataset.theme);
};
dark.onchange = name;
name();
