"""make notebooks 的设置：原地运行，只留标签与输出，不记时间与编辑器信息。"""
import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}   # 与测试一样，见仓库根目录的 conftest.py
c = get_config()  # noqa: F821  nbconvert 读这个文件时提供

c.NbConvertApp.export_format = "notebook"
c.FilesWriter.build_directory = ""
c.NbConvertApp.use_output_suffix = False
c.ExecutePreprocessor.enabled = True
c.ExecutePreprocessor.kernel_name = "python3"
c.ExecutePreprocessor.timeout = 600
c.ExecutePreprocessor.record_timing = False
c.ClearMetadataPreprocessor.enabled = True
c.ClearMetadataPreprocessor.clear_notebook_metadata = True
c.ClearMetadataPreprocessor.preserve_nb_metadata_mask = {("kernelspec",), ("language_info", "name")}
c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = {("tags",)}
# 默认的次序里，合并输出排在运行之前，合并不到；放进这里就排在最后
c.Exporter.preprocessors = ["nbconvert.preprocessors.CoalesceStreamsPreprocessor"]
