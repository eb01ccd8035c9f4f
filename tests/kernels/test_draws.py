"""Random words depend on seed, step, site and place alone, and look random."""

import torch

from kernels import draws

SEEDS = torch.tensor([3, 2**62, 3])


def key(step: int = 0, site: int = 0) -> torch.Tensor:
    return draws.keys(SEEDS, torch.tensor(step), site)


def test_words_are_those_of_splitmix64() -> None:
    """The first words of the generator's published form for state 0, as its other implementations give them."""
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    found = draws.words(torch.tensor([0]), 3)[0].tolist()
    assert [word % 2**64 for word in found] == published


def test_equal_seeds_draw_alike_in_any_slot_and_other_seeds_do_not() -> None:
    drawn = draws.words(key(), 100)
    assert torch.equal(drawn[0], drawn[2])
    assert not (drawn[0] == drawn[1]).any()


def test_another_step_or_site_is_another_stream() -> None:
    streams = [draws.words(key(step, site), 50)[0] for step in range(5) for site in range(5)]
    assert len(set(torch.cat(streams).tolist())) == 25 * 50


def test_a_part_of_a_stream_is_the_streams_part() -> None:
    assert torch.equal(draws.shorts(key(), 100)[:, 13:77], draws.shorts(key(), 64, start=13))
    assert torch.equal(draws.normals(key(), 100)[:, 13:77], draws.normals(key(), 64, start=13))


def test_drawing_leaves_the_seeds_as_they_were() -> None:
    seeds = SEEDS.clone()
    draws.keys(seeds, torch.tensor(1), 1)
    assert torch.equal(seeds, SEEDS)


def test_shorts_are_uniform_and_normals_are_normal() -> None:
    shorts = draws.shorts(key(), 200_000)[0].double() / 65536
    assert abs(shorts.mean() - 0.5) < 0.003
    assert abs(shorts.var() - 1 / 12) < 0.001
    counts = torch.histc(shorts, 64, 0, 1)
    assert ((counts - 3125) ** 2 / 3125).sum() < 110
    normals = draws.normals(key(), 200_000)[0].double()
    moments = [(normals**n).mean().item() for n in (1, 2, 3, 4)]
    assert all(abs(found - true) < 0.05 for found, true in zip(moments, (0, 1, 0, 3), strict=True))
    assert abs((normals[1:] * normals[:-1]).mean()) < 0.01
