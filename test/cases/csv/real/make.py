"""Writes small files of the kinds that people have, and the values that pandas reads from them (expected.json).

pip install pandas openpyxl pyarrow; python make.py
Python's codecs write the encodings, openpyxl and pyarrow the workbooks and Parquet files; pandas reads each with explicit options.
"""

import datetime
import io
import json
import math
import os

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

here = os.path.dirname(os.path.abspath(__file__))
expected = {}


def value(cell):
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, (bool,)) or type(cell).__name__ == "bool_":
        return "true" if cell else "false"
    if hasattr(cell, "item"):
        cell = cell.item()
    if isinstance(cell, (datetime.datetime, pd.Timestamp)):
        text = cell.isoformat(sep=" ")
        return text[:10] if text.endswith("00:00:00") else text
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return cell


def keep(name, frame):
    expected[name] = {
        "columns": [str(column) for column in frame.columns],
        "rows": [[value(cell) for cell in row] for row in frame.astype(object).values.tolist()],
    }


def text(name, content, encoding="utf-8", mark=b"", newline="\n", **options):
    raw = mark + content.replace("\n", newline).encode(encoding)
    with open(os.path.join(here, name), "wb") as file:
        file.write(raw)
    options = {"keep_default_na": False, "na_values": [""], **options}
    keep(name, pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig" if encoding == "utf-8" else encoding, **options))


# The published form of UCI's AirQuality: decimal commas, two empty columns at the end, rows of separators at the end.
name = "air-quality.csv"
text(
    name,
    "Date;Time;CO(GT);PT08.S1(CO);T;RH;AH;;\n"
    "10/03/2004;18.00.00;2,6;1360;13,6;48,9;0,7578;;\n"
    "10/03/2004;19.00.00;2;1292;13,3;47,7;0,7255;;\n"
    "25/03/2004;20.00.00;-200;1402;11,9;54,0;0,7502;;\n"
    ";;;;;;;;\n"
    ";;;;;;;;\n",
    newline="\r\n",
    sep=";",
    decimal=",",
    skip_blank_lines=True,
)
for part in (expected[name],):
    part["columns"] = part["columns"][:7]
    part["rows"] = [row[:7] for row in part["rows"] if any(cell is not None for cell in row)]

melon = (
    "编号,色泽,根蒂,敲声,纹理,脐部,触感,密度,含糖率,好瓜\n"
    "1,青绿,蜷缩,浊响,清晰,凹陷,硬滑,0.697,0.46,是\n"
    "2,乌黑,蜷缩,沉闷,清晰,凹陷,硬滑,0.774,0.376,是\n"
    "3,浅白,硬挺,清脆,模糊,平坦,硬滑,0.245,0.057,否\n"
    "4,青绿,稍蜷,浊响,稍糊,稍凹,软粘,0.634,0.264,否\n"
)
text("watermelon-gbk.csv", melon, encoding="gbk")
text("watermelon-utf-8-mark.csv", melon, mark=b"\xef\xbb\xbf", newline="\r\n")
text("watermelon-utf-16le.txt", melon.replace(",", "\t"), encoding="utf-16-le", mark=b"\xff\xfe", newline="\r\n", sep="\t")
expected["watermelon-utf-16le.txt"]["columns"][0] = "编号"
text("watermelon-utf-16be.txt", melon.replace(",", "\t"), encoding="utf-16-be", mark=b"\xfe\xff", newline="\r\n", sep="\t")
expected["watermelon-utf-16be.txt"]["columns"][0] = "编号"
text(
    "names-gbk.csv",
    "姓名,性别,年龄,城市,评价\n王鑫,男,34,重庆,满意\n李淼,女,28,呼和浩特,不满意\n欧阳娜娜,女,41,廊坊,一般\n",
    encoding="gbk",
)
text(
    "shop-big5.csv",
    "商品,價格,城市,評價\n茶葉,120,臺北,滿意\n餅乾,45.5,高雄,不滿意\n蘋果汁,60,臺中,普通\n",
    encoding="big5",
)
text(
    "haeuser-windows-1252.csv",
    "Straße;Größe (m²);Miete in €;Heizung\n"
    "Königsallee;54,5;1.234,50;Öl\n"
    "Böttcherstraße;72;980,00;Wärmepumpe\n"
    "Am Häuschen;101,25;2.050,75;Gas\n",
    encoding="windows-1252",
    newline="\r\n",
    sep=";",
    decimal=",",
    thousands=".",
)
text(
    "stations-windows-1252.csv",
    "Région;Température (°C);Qualité de l’air\n"
    "Île-de-France;12,5;médiocre\n"
    "Provence-Alpes-Côte d’Azur;17,25;élevée\n"
    "Bourgogne-Franche-Comté;11;très bonne\n",
    encoding="windows-1252",
    sep=";",
    decimal=",",
)
text(
    "encuesta-windows-1252.csv",
    "Año,Niños,Ocupación,¿Satisfecho?\n2019,2,Albañil,Sí\n2020,0,Médico,No\n2021,1,Enfermería,Sí\n",
    encoding="windows-1252",
)
text(
    "iris.data",
    "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-versicolor\n6.3,3.3,6.0,2.5,Iris-virginica\n\n",
    header=None,
    names=[f"column {i + 1}" for i in range(5)],
)
text(
    "adult.data",
    "39, State-gov, 77516, Bachelors, 2174, <=50K\n50, ?, 83311, Bachelors, 0, <=50K\n38, Private, 215646, HS-grad, 0, >50K\n",
    header=None,
    skipinitialspace=True,
    names=[f"column {i + 1}" for i in range(6)],
)
text(
    "german.data",
    "A11 6 A34 1169 1\nA12 48 A32 5951 2\nA14 12 A34 2096 1\n",
    header=None,
    sep=r"\s+",
    names=[f"column {i + 1}" for i in range(5)],
)
text(
    "titanic.csv",
    "PassengerId,Survived,Pclass,Name,Sex,Age,Ticket,Fare,Embarked\n"
    '1,0,3,"Braund, Mr. Owen Harris",male,22,A/5 21171,7.25,S\n'
    '2,1,1,"Cumings, Mrs. John Bradley (Florence ""Briggs"" Thayer)",female,38,PC 17599,71.2833,C\n'
    '3,1,3,"Heikkinen, Miss. Laina",female,,STON/O2. 3101282,7.925,S\n'
    '4,1,1,"Futrelle, Mrs. Jacques Heath",female,35,113803,53.1,\n',
)
text("population-by-year.csv", "country,2019,2020,2021\nDE,83.1,83.2,83.2\nFR,67.2,67.5,67.7\n")
text("report-with-titles.csv", "Sales of the year,,\n,,\nregion,units,price\nnorth,12,3.5\nsouth,7,4.25\n", skiprows=2)
text("numpy-savetxt.txt", "# x y z\n1.0 2.5 3.0\n2.0 3.5 4.5\n", sep=" ", skiprows=1, header=None, names=["x", "y", "z"])
text(
    "r-write-table.txt",
    '"mpg" "cyl" "gear"\n"Mazda RX4" 21 6 "four"\n"Datsun 710" 22.8 4 "four"\n"Valiant" 18.1 6 "three"\n',
    sep=" ",
)
frame = expected["r-write-table.txt"]
frame["columns"] = ["column 1", *frame["columns"]]
frame["rows"] = [[name, *row] for name, row in zip(["Mazda RX4", "Datsun 710", "Valiant"], frame["rows"])]
text(
    "unix-times.csv",
    "time,ms,value\n1700000000,1700000000123,0.1\n1700000030,1700000030456,0.30000000000000004\n1700000060,1700000060789,1e-7\n",
)
text("labels-with-zeros.csv", "area,kind\n15.2,01\n14.1,02\n13,03\n12.9,01\n")
text("dates.csv", "day;visits\n05.03.2024;12\n28.03.2024;7\n01.04.2024;9\n", sep=";")
text("single-quotes.csv", "name,size,kind\n'a, b',1,'x'\n'c, d',2,'y'\n'e, f',3,'x'\n", quotechar="'")
text("stray-quotes.tsv", 'size\tname\n5"\tpipe\n"6\tvalve\n7\tpump\n', sep="\t", quoting=3)

# A workbook with a title, a formula, dates, booleans, an error, and a second sheet.
book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Mess & Werte"
sheet.append(["Messungen 2024"])
sheet.append([])
sheet.append(["day", "length", "ripe", "kind", "note"])
sheet.append([datetime.date(2024, 3, 5), 5.1, True, "a", "=1+1 is text"])
sheet["E4"].data_type = "s"
sheet.append([datetime.date(2024, 3, 6), 4.9, False, "b", "Zürich"])
sheet.append([datetime.date(1999, 12, 31), 1234567.25, True, "a", None])
other = book.create_sheet("zweites")
other.append(["x", "y"])
other.append([1, 2])
book.save(os.path.join(here, "workbook.xlsx"))
keep("workbook.xlsx", pd.read_excel(os.path.join(here, "workbook.xlsx"), skiprows=2))
expected["workbook.xlsx"]["rows"] = [
    [row[0], row[1], row[2], row[3], row[4]] for row in expected["workbook.xlsx"]["rows"]
]

table = pa.table(
    {
        "day": pa.array([datetime.date(2024, 3, 5), datetime.date(2024, 3, 6), None]),
        "when": pa.array([datetime.datetime(2024, 3, 5, 12, 30), None, datetime.datetime(2024, 3, 6, 1, 2, 3)], pa.timestamp("us")),
        "small": pa.array([0.5, -1.25, 3.0], pa.float32()),
        "big": pa.array([1700000000123, 2, 3], pa.int64()),
        "ripe": pa.array([True, False, True]),
        "kind": pa.array(["a", "b", None]).dictionary_encode(),
    }
)
for codec in ("snappy", "zstd", "gzip", "none"):
    path = os.path.join(here, f"{codec}.parquet")
    pq.write_table(table, path, compression=codec, row_group_size=2)
    expected[f"{codec}.parquet"] = {
        "columns": table.column_names,
        "rows": [[value(row[column]) for column in table.column_names] for row in table.to_pylist()],
    }

with open(os.path.join(here, "expected.json"), "w", encoding="utf-8") as file:
    file.write("{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(read, ensure_ascii=False)}" for name, read in expected.items()) + "\n}\n")
