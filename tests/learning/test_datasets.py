"""Data sets: what comes with packages, and what is said to files of the user's that are unclear."""

from __future__ import annotations

import gzip
import random
import struct

import numpy as np
import pytest

from spicealif.errors import LearningError
from spicealif.learning import dataset_names, load_dataset

#: Samples, shape of a sample, classes and training samples, as the archives' pages tell them.
KNOWN = {
    "digits": (1797, (64,), 10, None),
    "digits-rows": (1797, (8, 8), 10, None),
    "iris": (150, (4,), 3, None),
    "breast-cancer": (569, (30,), 2, None),
    "gunpoint": (200, (1, 150), 2, 50),
    "italy-power-demand": (1096, (1, 24), 2, 67),
    "arrowhead": (211, (1, 251), 3, 36),
    "basic-motions": (80, (6, 100), 4, 40),
    "japanese-vowels": (640, (12, 29), 9, 270),
    "mnist1d": (5000, (1, 40), 10, 4000),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "mnist1d" else n
                                  for n in KNOWN])  # fmt: skip
def test_a_data_set_is_what_its_archive_says(name):
    n, shape, classes, train = KNOWN[name]
    found = load_dataset(name)
    assert found.x.shape == (n, *shape)
    assert (len(found.classes), sum(found.counts)) == (classes, n)
    assert (found.split is not None and len(found.split[0])) == (train or False)
    assert found.source.endswith(".")
    assert set(KNOWN) == set(dataset_names())


def test_vowels_of_different_lengths_end_in_their_last_value():
    from aeon.datasets import load_japanese_vowels

    found = load_dataset("japanese-vowels")
    originals, labels = load_japanese_vowels(split="train")
    for k in (0, 17, 200):
        length = originals[k].shape[1]
        assert (found.x[k, :, :length] == originals[k]).all()
        assert (found.x[k, :, length:] == originals[k][:, -1:]).all()
        assert found.classes[found.y[k]] == labels[k]
    assert "repeating its last value" in found.notes[0]


@pytest.mark.slow
def test_mnist1d_is_the_same_each_time_and_leaves_others_chance_alone():
    random.seed(1)
    np.random.seed(1)
    before = random.random(), np.random.rand()
    first = load_dataset("mnist1d").digest
    random.seed(1)
    np.random.seed(1)
    load_dataset("mnist1d")
    assert (random.random(), np.random.rand()) == before
    assert load_dataset("mnist1d").digest == first


def test_a_csv_whose_label_is_named(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id;a;b;kind\n7;1.5;2;x\n9;2.5;3;y\n4;3.5;4;x\n1;0;1;y\n")
    found = load_dataset(path, label="kind", drop=["id"])
    assert found.columns == ("a", "b")
    assert found.classes == ("x", "y")
    assert found.y.tolist() == [0, 1, 0, 1]
    series = load_dataset(path, label="kind", drop=["id"], kind="series")
    assert series.x.shape == (4, 1, 2)


GOOD = "a,b,kind\n1,2,x\n2,1,y\n4,3,x\n0,7,y\n"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (GOOD, {}, "does not say which column is the class; name it (label = 'NAME'), one of a"),
        (GOOD, {"label": "type"}, "no column 'type'; it has a, b, kind"),
        (GOOD, {"label": "kind", "drop": ["z"]}, "no column 'z'"),
        (GOOD, {"label": "kind", "drop": ["a", "b"]}, "no column beside the class"),
        (GOOD, {"label": "kind", "drop": ["kind"]}, "is the class and dropped"),
        (GOOD.replace("2,1,y", "2,,y"), {"label": "kind"}, "in the column 'b' (the first in row 2"),
        (GOOD.replace("2,1,y", "2,1,"), {"label": "kind"}, "row without a class (row 2"),
        (GOOD.replace("2,1,y", "2,red,y"), {"label": "kind"}, "texts in the column 'b' (such as"),
        (GOOD.replace("2,1,y", "2,red,y"), {"label": "kind"}, "leave it out (drop = ['b'])"),
        (GOOD.replace("a,", "b,"), {"label": "kind"}, "two columns of the same name"),
        ("1,2,0\n2,1,1\n", {"label": "x"}, "numbers in its first row and no names"),
        ("n,a,k\n1,5,x\n2,1,y\n3,4,x\n4,4,y\n", {"label": "k"}, "leave it out (drop = ['n'])"),
        ("a;k\n1,5;x\n2,5;y\n3,0;x\n1,0;y\n", {"label": "k"}, "decimal commas in the column 'a'"),
        ("a,k\n1,0.5\n2,1.5\n3,0.5\n1,1.5\n", {"label": "k"}, "no whole numbers (such as 0.5)"),
        ("a,k\n1,x\n2,x\n3,x\n1,x\n", {"label": "k"}, "one class only"),
        ("a,k\n1,p\n5,q\n3,r\n1,s\n", {"label": "k"}, "hardly classes"),
        ("", {"label": "k"}, "is no table that can be read"),
        ("a,b,kind\n1,2,x\n1,2,x,9,9\n", {"label": "kind"}, "is no table that can be read"),
        (b"a,k\n1,\xff\xfe\n", {"label": "k"}, "not UTF-8"),
        (b"a,b,k\n0.5,0.\x002,x\n", {"label": "k"}, "bytes of 0"),
        (GOOD[:9], {"label": "kind"}, "no rows below"),
        (GOOD.replace("3,x", "3,x "), {"label": "kind"}, "differ in spaces alone"),
    ],
)
def test_what_is_said_to_a_csv(tmp_path, text, options, words):
    path = tmp_path / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LearningError) as told:
        load_dataset(path, **options)
    assert words in str(told.value)
    assert str(told.value).endswith(".")


def test_npz_with_and_without_a_split(tmp_path):
    x, y = np.arange(24.0).reshape(8, 3), np.repeat(["p", "q"], 4)
    np.savez(tmp_path / "whole.npz", X=x, y=y)
    np.savez(tmp_path / "parts.npz", X_train=x[:6], y_train=y[:6], X_test=x[6:], y_test=y[6:])
    whole, parts = (load_dataset(tmp_path / f"{n}.npz") for n in ("whole", "parts"))
    assert whole.split is None
    assert [part.tolist() for part in parts.split] == [[0, 1, 2, 3, 4, 5], [6, 7]]
    assert (whole.x == parts.x).all()
    assert load_dataset(tmp_path / "whole.npz", kind="series").x.shape == (8, 1, 3)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": np.ones((4, 2))}, "give the arrays X and y"),
        ({"X": np.ones((4, 2)), "y": [0, 1, 0]}, "4 samples and labels of the shape (3,)"),
        ({"X": np.ones(4), "y": [0, 1, 0, 1]}, "samples of the shape (4,)"),
        ({"X": np.array([["a"], ["b"]]), "y": [0, 1]}, "values that are no numbers"),
        ({"X": np.full((4, 1), np.nan), "y": [0, 1, 0, 1]}, "4 samples with a missing"),
        ({"X": np.array([{}, {}]), "y": [0, 1]}, "with Python objects"),
        ({"X_train": np.ones((2, 2)), "X_test": np.ones((2, 3)), "y_train": [0, 1],
          "y_test": [0, 1]}, "of different shapes"),
        ({"X": np.ones((4, 2)), "x": np.ones((4, 2)), "y": [0, 1, 0, 1]}, "in capitals alone"),
        ({"X": np.ones((4, 2)) + 1j, "y": [0, 1, 0, 1]}, "values that are no numbers"),
        ({"X": np.ones((4, 2)), "y": [np.inf, 1, np.inf, 1]}, "beyond whole numbers"),
        ({"X": np.ones((4, 2)), "y": [1e300, 2e300, 1e300, 2e300]}, "beyond whole numbers"),
        ({"X_train": np.ones((2, 2)), "X_test": np.ones((2, 2)), "y_train": [0, 1],
          "y_test": [[0], [1]]}, "of one dimension"),
        ({"X_train": np.ones((2, 2)), "X_test": np.ones((2, 2)), "y_train": [False, True],
          "y_test": ["0", "1"]}, "labels of another kind"),
        ({"X_train": np.ones((2, 2)), "X_test": np.ones((0, 2)), "y_train": [0, 1],
          "y_test": np.ones(0, int)}, "none to test"),
    ],
)  # fmt: skip
def test_what_is_said_to_an_npz(tmp_path, arrays, words):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(LearningError) as told:
        load_dataset(tmp_path / "mine.npz")
    assert words in str(told.value)


def test_a_damaged_npz_is_a_sentence(tmp_path):
    path = tmp_path / "mine.npz"
    x, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    np.savez_compressed(path, X=x, y=y)
    good, refused = path.read_bytes(), 0
    for k in range(0, len(good), 3):
        damaged = bytearray(good)
        damaged[k] ^= 0xFF
        path.write_bytes(damaged)
        try:
            found = load_dataset(path)
        except LearningError:
            refused += 1
        else:  # a name or a date in the archive, of which nothing depends
            assert (found.x == x).all()
    assert refused > len(good) / 6


def test_spaces_behind_commas_are_none_of_a_name(tmp_path):
    (tmp_path / "mine.csv").write_text(GOOD.replace(",", ", "))
    found = load_dataset(tmp_path / "mine.csv", label="kind")
    assert (found.columns, found.classes) == (("a", "b"), ("x", "y"))


def idx(array, magic):
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path):
    """Eight images of 2 x 3 pixels in MNIST's form, one part of them packed."""
    folder = tmp_path / "MNIST"
    folder.mkdir()
    images = np.arange(48, dtype=np.uint8).reshape(8, 2, 3)
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1], dtype=np.uint8)
    for part, some in (("train", slice(0, 6)), ("t10k", slice(6, 8))):
        pack = gzip.compress if part == "train" else bytes
        ending = ".gz" if part == "train" else ""
        (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(idx(images[some], 0x803)))
        (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(labels[some], 0x801)))
    return folder


def test_mnist_files_packed_or_not(mnist):
    found = load_dataset(mnist)
    assert found.x.tolist() == np.arange(48.0).reshape(8, 6).tolist()
    assert [len(part) for part in found.split] == [6, 2]
    assert found.columns[-1] == "pixel_1_2"
    assert load_dataset(mnist / "t10k-images-idx3-ubyte").digest == found.digest
    assert load_dataset(mnist, kind="series").x.shape == (8, 2, 3)


def test_what_is_said_to_damaged_mnist_files(mnist):
    images = mnist / "t10k-images-idx3-ubyte"
    whole = images.read_bytes()
    cases = [
        (whole[:-1], "says that it has 2 x 2 x 3 values and holds 11"),
        (b"\0\0\x08\x01" + whole[4:], "does not begin with the number 2051"),
        (whole[:7], "no IDX file of images"),
        (struct.pack(">4I", 0x803, 1, 2, 3) + bytes(6), "1 images and"),
        (struct.pack(">4I", 0x803, 2, 1, 1) + bytes(2), "different sizes"),
        (gzip.compress(whole)[:-12], "damaged or cut off (gzip)"),
    ]
    for data, words in cases:
        images.write_bytes(data)
        with pytest.raises(LearningError) as told:
            load_dataset(mnist)
        assert words in str(told.value)
    images.write_bytes(whole)
    (mnist / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(LearningError, match="no file of the same part's labels"):
        load_dataset(mnist)


def test_what_is_no_data_set(tmp_path):
    (tmp_path / "mine.xlsx").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    for source, options, words in (
        ("nonesuch", {}, "no data set and no file 'nonesuch'"),
        ("iris", {"label": "kind"}, "comes with its classes"),
        (tmp_path / "mine.xlsx", {}, "no file of data that is known here"),
        (tmp_path / "mine.xlsx", {"label": "k"}, "label and drop name columns of a CSV file"),
        (tmp_path / "empty", {}, "has no file train-images-idx3-ubyte"),
    ):
        with pytest.raises(LearningError) as told:
            load_dataset(source, **options)
        assert words in str(told.value)
