"""From a partner's file to lines: open it (``files``), find its headings (``fitting``), read its lines (``lines``)."""

from quarterday.reading.files import Sheet, read_grid
from quarterday.reading.lines import Line, read_return

__all__ = ["Line", "Sheet", "read_grid", "read_return"]
