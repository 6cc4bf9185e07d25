// Starts Swagger UI on our own document, and mends what it leaves open for keyboards and
// screen readers. Options in the address (?url=, ?configUrl=) have no effect.
"use strict";

const DARK = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", DARK.matches);
DARK.addEventListener("change", followScheme);
followScheme();

// What the page is made of, in place of Swagger UI's BaseLayout: filter and key, a folded
// introduction, the operations at once, and the schemas.
function Page({ React: { createElement: h }, specSelectors, getComponent }) {
  const status = specSelectors.loadingStatus();
  if (status !== "success") {
    const failed = String(status).startsWith("failed");
    return h("p", { className: "state", role: "status" },
      failed ? "The contract, openapi.json, could not be loaded." : "Loading …");
  }
  const part = (name) => h(getComponent(name, true));
  return h("div", { className: "swagger-ui" },
    h(getComponent("SvgAssets")),
    h("div", { className: "tools" },
      part("FilterContainer"),
      specSelectors.servers().size > 1 && part("ServersContainer"),
      specSelectors.securityDefinitions() && part("AuthorizeBtnContainer")),
    h("details", null, h("summary", null, "About this API"), part("InfoContainer")),
    part("errors"), part("operations"), part("Models"));
}

// No links inside buttons, which Swagger UI makes of paths: opening sets the address anyway.
const DeepLink = ({ text }) => text;

// Every word typed must occur in an operation's tag, method, path, id or summary.
function opsFilter(groups, phrase) {
  const words = phrase.toLowerCase().split(/\s+/);
  const fits = (tag, entry) => {
    const operation = entry.get("operation");
    const text = [tag, entry.get("method"), entry.get("path"), operation.get("operationId"),
      operation.get("summary")].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return groups
    .map((group, tag) => group.update("operations", (all) => all.filter((one) => fits(tag, one))))
    .filter((group) => group.get("operations").size);
}

const operations = (Original, { React: { createElement: h } }) => (props) =>
  props.specSelectors.taggedOperations().size ? h(Original, props)
    : h("p", { className: "state", role: "status" }, "No operation has all these words.");

// Colours of highlighted JSON are variables of docs.css, so that they follow the scheme.
const CODE = { hljs: { color: "var(--ink)", background: "var(--code)" } };
for (const [token, name] of [["attr", "name"], ["string", "string"], ["number", "number"],
  ["literal", "number"], ["keyword", "number"]]) {
  CODE[`hljs-${token}`] = { color: `var(--code-${name})` };
}
const SyntaxHighlighter = (Original, { React: { createElement: h } }) => (props) =>
  h(Original, { ...props, syntaxHighlighting: { styles: {}, defaultStyle: CODE } });

// Swagger UI draws its buttons anew at the first answer and so drops the focus: give it back,
// show the answer (it may be far below a long list of parameters) and say its status.
const setResponse = (original) => (path, method, answer) => {
  original(path, method, answer);
  requestAnimationFrame(() => {
    const block = [...document.querySelectorAll(`.opblock-${method}.is-open`)]
      .find((one) => one.querySelector("[data-path]").dataset.path === path);
    if (document.activeElement === document.body) block?.querySelector(".execute")?.focus();
    block?.querySelector(".live-responses-table")?.scrollIntoView();
    document.getElementById("heard").textContent = `Answer: ${answer.status ?? "none"}`;
  });
};

const nameOf = (element) => element.closest("tr")?.dataset.paramName;
const MEND = [ // selector, attribute, value (null: take the attribute away)
  [".operation-filter-input", "aria-label", () => "Filter operations"],
  [".operation-filter-input", "placeholder", () => "Filter, for example: topics get"],
  ["tr[data-param-name] :is(select, input, textarea)", "aria-label", nameOf],
  [".json-schema-form-item-add", "aria-label", (button) => `Add string item: ${nameOf(button)}`],
  [".json-schema-form-item-remove", "aria-label", (button) => `Remove this ${nameOf(button)}`],
  [".body-param__text", "aria-label", () => "Request body"],
  [".microlight", "tabindex", () => "0"],
  [".opblock-tag, .models > h4, .modal-ux-header h3", "aria-level", () => "2"],
  [".opblock-section-header h4, .responses-inner h4, .modal-ux h4", "aria-level", () => "3"],
  [".responses-inner h5", "aria-level", () => "4"],
  [".expand-operation", "aria-label", (button) => button.closest(".opblock-tag")?.dataset.tag],
  [".copy-to-clipboard", "aria-label", () => null],
  ["table[role=region]", "role", () => "table"],
  [".modal-ux", "role", () => "dialog"],
  [".modal-ux", "aria-modal", () => "true"],
  [".modal-ux", "aria-label", () => "Authorize"],
  [".close-modal", "aria-label", () => "Close"],
  [".modal-btn.authorize", "aria-label", () => null],
  ["#auth-bearer-value", "aria-label", () => "API key"],
];

function mend() {
  for (const [selector, attribute, value] of MEND) {
    for (const element of document.querySelectorAll(selector)) {
      const wanted = value(element) ?? null;
      if (element.getAttribute(attribute) === wanted) continue;
      if (wanted === null) element.removeAttribute(attribute);
      else element.setAttribute(attribute, wanted);
    }
  }
}

// Whoever comes without a link to some operation finds the first one open.
function openFirst(system) {
  const [tag, group] = system.specSelectors.taggedOperations().entrySeq().first() ?? [];
  if (!tag || location.hash.length > 1) return;
  const id = group.getIn(["operations", 0, "operation", "operationId"]);
  const thing = ["operations", tag, id];
  system.getStore().dispatch({ type: "layout_show", payload: { thing, shown: true } });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to deep links
  const first = document.querySelector(".opblock-summary-control");
  (first ?? document.getElementById("contract")).focus();
});

const root = document.getElementById("swagger-ui");
new MutationObserver(mend).observe(root, { childList: true, subtree: true });

const ui = SwaggerUIBundle({
  domNode: root,
  url: root.dataset.document,
  layout: "Page",
  plugins: [{
    components: { Page, DeepLink },
    fn: { opsFilter },
    wrapComponents: { operations, SyntaxHighlighter },
    statePlugins: { spec: { wrapActions: { setResponse } } },
  }],
  queryConfigEnabled: false,
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => openFirst(ui.getSystem()),
});
