"""The report that goes up, in the layout of Nghị định 30/2020/NĐ-CP, and its annexes.

`periods` says of which days, `reading` reads every figure once, `sentences` and `annexes` say them, `letter` who writes
to whom; `contents` joins these into one `Report` that never changes. From it alone come the preview, the PDF
(`typesetting`), the Word file (`word`) and the workbook (`workbook`).
"""
