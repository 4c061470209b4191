import pyarrow as pa

from pipelines.tables.arrow import filled
from pipelines.tables.schemas import ITEMS


def test_a_table_of_an_earlier_version_gets_the_columns_that_it_lacks() -> None:
    table = pa.table({"item_id": ["a", "b"], "price": [1.0, None]})
    found = filled(table, ITEMS)
    assert {*found.column_names} == {*ITEMS.names}
    assert found["currency"].to_pylist() == [None, None]
    assert found["currency"].type == ITEMS.field("currency").type
    assert filled(found, ITEMS) is found
