"""Files into the register: `files` reads them, `stages` leads them from upload to loaded, `form_rows`
and `form_load` know collection forms. Two more kinds stand in `verification/imports.py`."""
