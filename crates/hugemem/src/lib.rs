//! Mappings on base pages, THP, hugetlb and files, and what the kernel really gave.
