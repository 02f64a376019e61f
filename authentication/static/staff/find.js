/**
 * Shows the people that the field in the header means, while it is typed in: a combobox with a list
 * (WAI-ARIA Authoring Practices). Without it the field is a plain form.
 */

const PAUSE = 150;
const SHORTEST = 2;

const form = document.querySelector("form.find");
if (form) {
  suggest(form, form.querySelector("[name=q]"));
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} field
 */
function suggest(form, field) {
  const list = build("ul", { id: "find-people", role: "listbox", "aria-label": field.dataset.found });
  const told = build("p", { class: "visually-hidden", role: "status" });
  list.hidden = true;
  form.append(list, told);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  })) {
    field.setAttribute(name, value);
  }

  let waiting = 0;
  let asked = new AbortController();
  let chosen = -1;

  function close() {
    list.hidden = true;
    told.className = "visually-hidden";
    field.setAttribute("aria-expanded", "false");
    choose(-1);
  }

  function choose(number) {
    const options = [...list.children];
    chosen = number;
    options.forEach((it, i) => it.setAttribute("aria-selected", String(i === number)));
    if (options[number]) {
      field.setAttribute("aria-activedescendant", options[number].id);
      options[number].scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  }

  function show(people) {
    list.replaceChildren(...people.map(option));
    list.hidden = people.length === 0;
    told.className = list.hidden ? "nobody" : "visually-hidden";
    field.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
    told.textContent = people.length
      ? field.dataset.some.replace("{count}", people.length)
      : field.dataset.none;
  }

  async function ask() {
    asked.abort();
    asked = new AbortController();
    const text = field.value.trim();
    if (text.length < SHORTEST) {
      close();
      return;
    }
    // In the body: names and addresses in a URL would be in the logs of proxies.
    const sent = { method: "POST", body: new FormData(form), redirect: "error" };
    try {
      const answer = await fetch(form.dataset.suggestions, { ...sent, signal: asked.signal });
      if (answer.ok) {
        show((await answer.json()).people);
      } else {
        close();
      }
    } catch {
      // Aborted by the next letter, signed out, or no network: the form itself still works.
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : list.children.length;
    if (event.key === "Escape" && count) {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" && count) {
      event.preventDefault();
      choose((chosen + 1) % count);
    } else if (event.key === "ArrowUp" && count) {
      event.preventDefault();
      choose(chosen <= 0 ? count - 1 : chosen - 1);
    } else if (event.key === "Enter" && chosen >= 0 && count) {
      event.preventDefault();
      location.assign(list.children[chosen].dataset.url);
    }
  });
  list.addEventListener("click", (event) => {
    const found = event.target.closest("[role=option]");
    if (found) {
      location.assign(found.dataset.url);
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) {
      close();
    }
  });
  // A press on an option must not take the focus, which would close the list before the click.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
}

function option(person, number) {
  const name = build("b", {}, person.name);
  const about = build("span", {}, person.about);
  const item = build("li", { id: `find-person-${number}`, role: "option", "aria-selected": "false" });
  item.dataset.url = person.url;
  item.append(name, about);
  return item;
}

function build(tag, traits, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    element.setAttribute(name, value);
  }
  element.textContent = text;
  return element;
}
