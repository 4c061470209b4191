// What results must be, beside looking alike: fields made of what the release holds.

const MOST_VALUES = 500;

function option(value, words) {
  const element = document.createElement("option");
  element.value = value;
  element.textContent = words;
  return element;
}

export class Filters {
  constructor(form, onChange) {
    this.form = form;
    this.field = (id) => form.querySelector(`#${id}`);
    form.addEventListener("change", () => { this.field("about").hidden = !this.field("explain").checked; onChange(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); onChange(); });
  }

  show(facets) {
    const category = this.field("category");
    const kept = category.value;
    const paths = facets.categories.map(({ path, items }) => {
      const words = `${"  ".repeat(path.length - 1)}${path[path.length - 1]} (${items.toLocaleString()})`;
      return option(JSON.stringify(path), words);
    });
    category.replaceChildren(option("", "all"), ...paths);
    category.value = paths.some((one) => one.value === kept) ? kept : "";
    this.field("currency").textContent = facets.currencies.length === 1 ? facets.currencies[0] : "";
    this.field("attributes").replaceChildren(...Object.entries(facets.attributes).flatMap(([name, values]) => {
      const label = document.createElement("label");
      const select = document.createElement("select");
      select.id = `attribute-${name}`;
      select.dataset.attribute = name;
      label.htmlFor = select.id;
      label.textContent = name;
      const words = values.slice(0, MOST_VALUES).map(({ value, items }) => option(value, `${value} (${items.toLocaleString()})`));
      select.replaceChildren(option("", "any"), ...words);
      return [label, select];
    }));
  }

  // Null where nothing is to be explained, else the id of an item that is asked about, "" for none.
  get explain() {
    return this.field("explain").checked ? this.field("about-item").value.trim() : null;
  }

  get query() {
    const query = new URLSearchParams({ k: this.field("k").value });
    const path = this.field("category").value;
    for (const name of path ? JSON.parse(path) : []) query.append("category", name);
    for (const select of this.form.querySelectorAll("[data-attribute]")) {
      if (select.value) query.append("attribute", `${select.dataset.attribute}=${select.value}`);
    }
    for (const [id, name] of [["price-from", "price_from"], ["price-to", "price_to"]]) {
      if (this.field(id).value) query.set(name, this.field(id).value);
    }
    if (this.field("in-stock").checked) query.set("in_stock", "true");
    return query;
  }
}
