"""What stands in data files beside the values: schemas, statistics, indexes, filters; each compared with what the rows say."""
