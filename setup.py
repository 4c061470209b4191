"""What a cluster worker installs: the packages that Beam workers run, and the libraries that these import.

The launcher's own environment is made from the lock files in `requirements/`; `launcher` names what it has beyond a
worker.
"""

from setuptools import find_packages, setup

setup(
    name="visual-search",
    version="0.1.0",
    description="A batch pipeline that turns a shop's catalogue into a promoted, searchable index of its photos",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.12,<3.13",
    packages=find_packages(include=["transforms*", "trainer*", "pipelines*", "serving*"]),
    package_data={
        "pipelines": ["**/templates/*", "evaluate/vocabulary.toml", "catalogue/*.toml", "config/formats/*.toml"],
        "serving": ["page/static/*"],
    },
    install_requires=[
        "aiohttp>=3.13,<4",
        "apache-beam[gcp]>=2.77,<2.78",
        "faiss-cpu>=1.15,<1.16",
        "google-cloud-storage>=3.17,<4",
        "ImageHash>=4.3,<5",
        "keras>=3.15,<4",
        "lxml>=6.1,<7",
        "numpy>=2.4,<3",
        "obstore>=0.12,<1",
        "pillow>=12.3,<13",
        "pyarrow>=18.1,<19",
        "pydantic>=2.14,<3",
        "tensorflow>=2.21,<2.22",
        "tenacity>=9,<10",
        "tensorflow-transform>=1.21,<1.22",
        "yarl>=1.20,<2",
    ],
    extras_require={
        "qdrant": ["qdrant-client>=1.15,<2"],
        "opensearch": ["opensearch-py>=3.1,<4"],
        "postgres": ["psycopg[binary]>=3.2,<4"],
        "serving": [
            "click>=8.3,<9",
            "fastapi>=0.115,<1",
            "httptools>=0.6,<1",
            "orjson>=3.11,<4",
            "prometheus-client>=0.26,<1",
            "psutil>=7.2,<8",
            "python-json-logger>=4.2,<5",
            "python-multipart>=0.0.20,<1",
            "sqlalchemy>=2.0.40,<3",
            "starlette>=0.40,<2",
            "uvicorn>=0.34,<1",
            "uvloop>=0.21,<1",
        ],
        "launcher": [
            "build>=1.3,<2",
            "chardet>=7.7,<8",
            "click>=8.3,<9",
            "google-cloud-dataflow-client>=0.13,<1",
            "jinja2>=3.1,<4",
            "kfp-pipeline-spec>=2.16,<2.17",
            "matplotlib>=3.10,<4",
            "orjson>=3.11,<4",
            "prometheus-client>=0.26,<1",
            "python-json-logger>=4.2,<5",
            "requests>=2.32,<3",
            "rich>=14,<16",
            "scipy>=1.18,<2",
            "sqlalchemy>=2.0.40,<3",
            "tfx>=1.21,<1.22",
        ],
    },
    entry_points={"console_scripts": ["visual-search=pipelines.cli:main"]},
)
