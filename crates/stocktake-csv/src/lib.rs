//! CSV data files of inventory reports.
