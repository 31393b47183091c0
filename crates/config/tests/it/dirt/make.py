"""Writes the lists of this folder again: python3 make.py (needs openpyxl). Each is `acme.csv` with one kind of dirt that real
lists have. The workbooks are written by openpyxl, so that what reads them is not tested with what the same program wrote."""

import csv
import datetime
import io
import pathlib

import openpyxl

HERE = pathlib.Path(__file__).parent
ROWS = list(csv.reader(io.StringIO((HERE.parent / "acme" / "acme.csv").read_text(encoding="utf-8"))))
HEADS = ROWS[0]
NUMBERS = {"量程低限", "量程高限", "低低报", "低报", "高报", "高高报", "联锁值", "回差", "报警延时s", "恢复延时s", "采集周期s"}


def rows(change=None):
    """The clean list, changed."""
    copy = [row[:] for row in ROWS]
    if change:
        change(copy)
    return copy


def at(name):
    return HEADS.index(name)


def text(name, content, encoding="utf-8", end="\n"):
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows(content)
    (HERE / name).write_bytes(out.getvalue().encode(encoding))


def workbook(name, content, after=None, heads_at=1):
    """Numbers as number cells, dates as dates, the rest as text: what an engineer's workbook is."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "设定值"
    fill(sheet, content, heads_at)
    if after:
        after(book, sheet)
    book.properties.created = book.properties.modified = datetime.datetime(2026, 1, 1)
    book.save(HERE / name)


def fill(sheet, content, heads_at=1):
    for line, row in enumerate(content):
        for column, value in enumerate(row):
            cell = sheet.cell(row=heads_at + line, column=column + 1)
            head = HEADS[column] if column < len(HEADS) else ""
            if value == "":
                continue
            if line > 0 and head in NUMBERS and value.lstrip("-").replace(".", "").isdigit():
                cell.value = float(value) if "." in value else int(value)
            elif line > 0 and head == "校验有效期":
                cell.value = datetime.date.fromisoformat(value)
                cell.number_format = "yyyy-mm-dd"
            else:
                cell.value = value
                cell.number_format = "@"


def cell(sheet, line, name, value=None, form=None):
    found = sheet.cell(row=line, column=at(name) + 1)
    if value is not None:
        found.value = value
    if form:
        found.number_format = form
    return found


# ---------------------------------------------------------------- .csv
text("gb18030.csv", rows(), "gb18030", "\r\n")
text("bom-and-crlf.csv", rows(), "utf-8-sig", "\r\n")


def wide(content):
    content[0][at("报警延时s")] = "报警延时\uff33"
    content[1][at("高报")] = "\uff18\uff10"
    content[1][0] = "\uff2cIA\uff0d101"


text("full-width.csv", rows(wide))


def none_signs(content):
    content[1][at("联锁值")] = "无"
    content[1][at("低低报")] = "—"
    content[1][at("声光区域")] = "--"
    content[2][at("联锁值")] = "-"
    content[2][at("校验有效期")] = "——"


text("signs-for-none.csv", rows(none_signs))


def with_unit(content):
    content[3][at("高报")] = "≤25%LEL"
    content[2][at("高高报")] = "1.8 kPa"


text("limit-with-its-unit.csv", rows(with_unit))


def exponents(content):
    content[1][at("重大危险源编码")] = "3.39900101E+11"
    content[2][0] = "3.30521E+08"


text("codes-as-exponents.csv", rows(exponents))


def zeros(content):
    content[1][at("重大危险源编码")] = "39900101001"
    content[1][at("指标编码")] = "39900101001G0001YW001"


text("lost-zeros.csv", rows(zeros))
text("serial-for-a-date.csv", rows(lambda content: content[1].__setitem__(at("校验有效期"), "46477")))


def comma(content):
    content[1][at("设定依据")] = "操作规程OP-12"


text("comma-in-a-text.csv", rows(comma))
path = HERE / "comma-in-a-text.csv"
path.write_text(path.read_text(encoding="utf-8").replace("操作规程OP-12,", "操作规程OP-12,第3条,见附件,"), encoding="utf-8")

pad = [""] * (len(HEADS) - 1)
text("title-heading-and-signature.csv", [["安科化工报警设定值一览表", *pad], [*pad, ""], *rows()[:3], ["装卸区", *pad], *rows()[3:], ["编制:张三", "审核:李四", *pad[1:]]])
text("heads-once-more.csv", [*rows()[:3], HEADS, *rows()[3:]])


def own(content):
    for line, row in enumerate(content):
        row.insert(0, "序号" if line == 0 else str(line))
        row.append("#责任人" if line == 0 else "王工,二班")


text("own-columns.csv", rows(own))


def unknown(content):
    for line, row in enumerate(content):
        row.append("责任部门" if line == 0 else "仪表车间")


text("unknown-column.csv", rows(unknown))


def errors(content):
    content[1][at("高报")] = "#REF!"
    content[2][at("名称")] = "#N/A"


text("error-values.csv", rows(errors))
(HERE / "neither-encoding.csv").write_bytes((HERE / "gb18030.csv").read_bytes().replace("甲醇".encode("gb18030"), b"\xff\xff", 1))

# ---------------------------------------------------------------- .xlsx
workbook("clean.xlsx", rows())


def number_codes(book, sheet):
    cell(sheet, 2, "重大危险源编码", 339900101001, "0")
    cell(sheet, 3, "位号", 102, "General")


workbook("codes-as-numbers.xlsx", rows(), number_codes)
workbook("a-long-code-as-a-number.xlsx", rows(), lambda book, sheet: cell(sheet, 2, "指标编码", 339900101001000111, "General"))
workbook("zeros-by-format.xlsx", rows(), lambda book, sheet: cell(sheet, 2, "重大危险源编码", 39900101001, "000000000000"))


def percent(book, sheet):
    cell(sheet, 2, "高报", 0.8, "0%")
    cell(sheet, 2, "高高报", 0.9, "0.0%")


workbook("percent-cells.xlsx", rows(), percent)


def dates(book, sheet):
    cell(sheet, 2, "校验有效期", 46477, "General")
    cell(sheet, 3, "CAS号", datetime.date(1967, 5, 6), "yyyy/m/d")


workbook("dates-and-serials.xlsx", rows(), dates)


def merged(book, sheet):
    for name in ["装置单元", "设备位号", "设备类型", "重大危险源编码", "重大危险源等级", "介质", "CAS号"]:
        column = openpyxl.utils.get_column_letter(at(name) + 1)
        sheet.merge_cells(f"{column}2:{column}3")


workbook("merged-descriptions.xlsx", rows(), merged)


def merged_limit(book, sheet):
    column = openpyxl.utils.get_column_letter(at("高报") + 1)
    sheet.merge_cells(f"{column}2:{column}3")


workbook("merged-limit.xlsx", rows(), merged_limit)


def two_head_rows(content):
    below = [""] * len(HEADS)
    for name in ["低低报", "低报", "高报", "高高报"]:
        below[at(name)] = name
    content[0][at("低低报")] = "报警设定值"
    for name in ["低报", "高报", "高高报"]:
        content[0][at(name)] = ""
    content.insert(1, below)


def merge_heads(book, sheet):
    sheet.merge_cells(start_row=1, end_row=1, start_column=at("低低报") + 1, end_column=at("高高报") + 1)
    sheet.merge_cells("A1:A2")


workbook("heads-on-two-rows.xlsx", rows(two_head_rows), merge_heads)


def title(book, sheet):
    sheet.cell(row=1, column=1).value = "安科化工报警设定值一览表"
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADS))
    sheet.insert_rows(6, 2)


workbook("title-and-empty-rows.xlsx", rows(), title, heads_at=3)
workbook("two-lists.xlsx", rows(), lambda book, sheet: fill(book.create_sheet("2025年"), rows()))


def cover(book, sheet):
    first = book.create_sheet("封面", 0)
    first["A1"] = "设定值表"
    fill(book.create_sheet("旧"), rows())
    book["旧"].sheet_state = "hidden"


workbook("cover-and-hidden-sheet.xlsx", rows(), cover)


def no_list(book, sheet):
    sheet.delete_rows(1, 20)
    sheet["A1"] = "见附件"
    book.create_sheet("附件")["A1"] = "无"


workbook("no-list.xlsx", rows(), no_list)
workbook("formula-without-a-value.xlsx", rows(), lambda book, sheet: cell(sheet, 2, "高报", "=Q2+1", "General"))
workbook("error-values.xlsx", rows(), lambda book, sheet: cell(sheet, 2, "高报", "#DIV/0!", "General"))
workbook("out-of-order.xlsx", rows(lambda content: content[1].__setitem__(at("高报"), "92")))


def far(book, sheet):
    sheet.cell(row=1048576, column=16384).value = "x"


workbook("a-cell-at-the-far-corner.xlsx", rows(), far)
(HERE / "a-csv-named-xlsx.xlsx").write_bytes((HERE / "bom-and-crlf.csv").read_bytes())
(HERE / "an-old-workbook.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512))
