"""Makes a policy many times as large as a given one: each part that can stand more than once is copied with new names.

Works on the tree that `crouter.policy.document` reads. Parts of which there is one (the controller, the account, the
upstream) stay one, so the result is a policy that passes every rule and is a little less than `times` as large.
"""

from typing import Any

import yaml

Tree = dict[str, Any]

ROOT = "account"
DELETION = "deletion"
# How the name of every counter ends.
TOTAL = "_total"
# What claims of a copy are about.
COPIED = ("data", "never", "processors", "retention", "rights")
# One sentence tells all there is about payments, however many take part in them.
SINGLE = ("pays",)


def grown(tree: Tree, times: int) -> Tree:
    """The policy with `times - 1` copies of its parts. The given tree is left as it is."""
    result = {key: dict(part) if isinstance(part, dict) else part for key, part in tree.items()}
    for key in ("proxy", "analytics"):
        inner = {"proxy": "routes", "analytics": "events"}[key]
        result[key] = {**tree[key], inner: dict(tree[key][inner])}
    for number in range(1, times):
        _Copy(tree, result, number).add()
    return result


def yaml_text(tree: Tree) -> str:
    """The policy as a file would say it."""
    return yaml.dump(_lists(tree), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes no anchors: the language refuses them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def _unowned(route: Tree) -> Tree:
    if "owned_by" not in route:
        return route
    return {**{key: value for key, value in route.items() if key != "owned_by"}, "metered": False}


class _Copy:
    """One copy of the parts of `tree`, added to `result` under names that end in a number."""

    def __init__(self, tree: Tree, result: Tree, number: int) -> None:
        self._tree = tree
        self._result = result
        self._number = number

    def add(self) -> None:
        for part in ("purposes", "never", "rights", "logging"):
            self._result[part].update(self._labelled_all(self._tree[part]))
        metrics = {self._metric(name): metric for name, metric in self._tree["metrics"].items()}
        self._result["metrics"].update(metrics)
        self._result["analytics"]["events"].update(self._labelled_all(self._tree["analytics"]["events"]))
        for part in ("cookies", "storage"):
            copies = {self._name(name): self._purposeful(entry) for name, entry in self._tree[part].items()}
            self._result[part].update(copies)
        self._add_data()
        self._add_processors()
        self._add_retention()
        self._add_routes()
        self._result["sections"] = tuple(map(self._section, self._tree["sections"], self._result["sections"]))

    def _name(self, name: str) -> str:
        return f"{name}_{self._number}"

    def _metric(self, name: str) -> str:
        ending = TOTAL if name.endswith(TOTAL) else ""
        return f"{name.removesuffix(TOTAL)}_{self._number}{ending}"

    def _category(self, name: str) -> str:
        return name if name == ROOT else self._name(name)

    def _labelled(self, entry: Tree) -> Tree:
        return {**entry, "label": f"{entry['label']} {self._number}"} if "label" in entry else dict(entry)

    def _labelled_all(self, entries: Tree) -> Tree:
        return {self._name(name): self._labelled(entry) for name, entry in entries.items()}

    def _purposeful(self, entry: Tree) -> Tree:
        return {**entry, "purpose": self._name(entry["purpose"])}

    def _add_data(self) -> None:
        for name, category in self._tree["data"].items():
            if name != ROOT:
                self._result["data"][self._name(name)] = self._copied_category(category)

    def _copied_category(self, category: Tree) -> Tree:
        copy = self._labelled(category)
        fields = {
            name: {**self._labelled(field), "purposes": tuple(map(self._name, field["purposes"]))}
            for name, field in category.get("fields", {}).items()
        }
        technical = {
            name: {**column, "to": self._category(column["to"])} if "to" in column else column
            for name, column in category["technical"].items()
        }
        copy |= {"fields": fields, "technical": technical}
        if "fold" in category:
            copy["fold"] = {**category["fold"], "along_with": self._name(category["fold"]["along_with"])}
        return copy

    def _add_processors(self) -> None:
        for name, processor in self._tree["processors"].items():
            is_single = {"content", "analytics"} & set(processor["receives"])
            copy = self._labelled(processor)
            copy |= {
                "purposes": tuple(map(self._name, processor["purposes"])),
                "hosts": tuple(self._host(host) for host in processor["hosts"]),
            }
            if is_single:
                email = self._tree["data"][ROOT]["fields"]["email"]
                copy |= {"receives": (f"{ROOT}.email",), "purposes": tuple(email["purposes"]), "mode": "store"}
            self._result["processors"][self._name(name)] = copy

    def _host(self, host: str) -> str:
        below, _, top = host.rpartition(".")
        return f"{below}-{self._number}.{top}"

    def _add_retention(self) -> None:
        rules = self._result["retention"]
        deletion = rules[DELETION]
        for name, rule in self._tree["retention"].items():
            copied = tuple(self._name(category) for category in rule["of"] if category != ROOT)
            if name != DELETION:
                rules[self._name(name)] = {**rule, "of": copied}
                continue
            exceptions = tuple({**one, "of": self._name(one["of"])} for one in rule["exceptions"])
            rules[DELETION] = {
                **deletion,
                "of": (*deletion["of"], *copied),
                "exceptions": (*deletion["exceptions"], *exceptions),
            }

    def _add_routes(self) -> None:
        routes = self._tree["proxy"]["routes"].items()
        # What is shared behind a path of the upstream is not shared behind a copy of the path.
        own = {name: _unowned(route) for name, route in routes}
        copies = {self._name(name): {**route, "path": f"/{self._number}{route['path']}"} for name, route in own.items()}
        self._result["proxy"]["routes"].update(copies)

    def _section(self, original: Tree, so_far: Tree) -> Tree:
        claims = dict(so_far["claims"])
        for name, claim in original["claims"].items():
            if claim["says"] in SINGLE:
                continue
            part, _, about = claim["about"].partition(".")
            entry, _, field = about.partition(".")
            if part in COPIED and entry not in (ROOT, DELETION):
                path = ".".join(filter(None, (part, self._name(entry), field)))
                claims[f"{name}-{self._number}"] = {**claim, "about": path}
            elif part == "retention" and entry == ROOT:
                claims[f"{name}-{self._number}"] = {**claim, "about": f"retention.{self._name(entry)}"}
        return {**so_far, "claims": claims}
