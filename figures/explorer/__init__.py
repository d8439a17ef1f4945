"""The explorer: a page in the browser whose panels follow sliders.

`settings` and `model` compute its numbers and texts from the functions of `theory`; `page` and `server` show them by
Bokeh, which comes with the extra `explore`.
"""
