"""Parses the statements for engines that do not run here, by the grammars of another project, and looks at what they say."""

import sqlglot
from sqlglot import exp

from report import run

# Engine, grammar, and the tables or views that its statements make.
ENGINES = [("athena", "athena", ["found"]), ("trino", "trino", ["found_files", "found"]), ("spark", "spark", ["found"])]


def check(binary, report, columns):
    for engine, grammar, names in ENGINES:
        done = run(binary, "ddl", "--for", engine, "--table", "found", report.path)
        assert done.returncode == 0, done
        parsed = [statement for statement in sqlglot.parse(done.stdout, read=grammar, error_level=sqlglot.ErrorLevel.RAISE) if statement]
        # What a grammar does not know it keeps as text.
        assert parsed and not any(isinstance(statement, exp.Command) for statement in parsed), (engine, parsed)
        made = [statement.find(exp.Table).name for statement in parsed if isinstance(statement, exp.Create)]
        assert made[-1] == names[-1] and set(names) <= set(made), (engine, made)
        if engine != "spark":
            defined = [column.name for column in parsed[0].find_all(exp.ColumnDef) if column.name != "dt"]
            assert defined == columns, (engine, defined)
