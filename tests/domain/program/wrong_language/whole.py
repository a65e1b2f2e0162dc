"""Wrong keys of the document itself."""

WRONG = {
    "moment": ("earn_when: paid", "earn_when: §fulfiled", "earn_when", "mean fulfilled?"),
    "cap of nothing": ("balance_cap: 20000", "balance_cap: §0", "balance_cap", "give 1 to"),
    "worth": ("worth: 2.50", "worth: §0", "point_value.worth", "above zero"),
    "stacking": ("multiply", "§add", "stacking", "use one of best, sum, multiply"),
}
