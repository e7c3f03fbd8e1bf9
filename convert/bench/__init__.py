from convert.bench.variants import measure_variants as measure_variants
