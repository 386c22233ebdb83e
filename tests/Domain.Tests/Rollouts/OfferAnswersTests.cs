using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Answers taken together make the share that they make one after the other, whatever is known of their members.</summary>
public sealed class OfferAnswersTests
{
    private const int Members = 40;

    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Together_or_one_after_the_other_is_the_same()
    {
        var plain = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            ImmutableArray<byte> waves = [.. Enumerable.Range(0, Members).Select(_ => (byte)random.Next(3))];
            var share = Make(random, waves);
            var answers = share.Open
                .Where(_ => random.Next(4) > 0)
                .Select(offer => new OfferAnswer(
                    offer with { TakenAt = s_now, DeliveredAt = random.Next(3) == 0 ? s_now : null },
                    Math.Max(0, ShareRules.RetryOf(share, offer.Member) + (random.Next(8) == 0 ? random.Next(-1, 2) : 0))))
                .ToList();

            var one = answers.Aggregate(share, (current, answer) => ShareRules.Confirm(
                ShareRules.Adopt(current, answer.Offer.Member, answer.Retry),
                answer.Offer.Member,
                waves[answer.Offer.Member],
                answer.Offer,
                answer.Retry));
            var all = OfferAnswers.ConfirmAll(share, answers, waves);

            plain += answers.Count;
            Assert.Equal(one.Members, all.Members);
            Assert.Equal(one.Open, all.Open);
            Assert.Equal(one.Permits.ToArray(), all.Permits.ToArray());
            Assert.Equal(one.Retries, all.Retries);
            Assert.Equal(one.Ends, all.Ends);
        }

        Assert.True(plain > Members);
    }

    [Fact]
    public void Who_is_not_in_the_list_any_more_is_taken_all_the_same()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 2);
        var all = OfferAnswers.ConfirmAll(share, [new OfferAnswer(new OpenOffer(1, 7, false, s_now, null), 0)], [0, 0]);

        Assert.Equal(MemberStatus.Offered, all.Members[1]);
        Assert.Equal(1, all.Permits[0].Offered);
        Assert.True(Assert.Single(all.Open).IsConfirmed);
    }

    /// <summary>Some have permits, some of these are confirmed, delivered, at a later attempt, or were given up.</summary>
    private static RolloutShare Make(Random random, ImmutableArray<byte> waves)
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, Members);
        var reach = Enumerable.Repeat(MemberReach.Online, Members).ToArray();
        for (var granted = 4; granted <= 12; granted += 4)
        {
            share = ShareRules.TakePermits(share, new PermitGrant([granted, granted, granted], 3, true, s_now), waves, reach);
            foreach (var offer in share.Open)
            {
                share = random.Next(6) switch
                {
                    0 => ShareRules.Confirm(share, offer.Member, waves[offer.Member], offer, ShareRules.RetryOf(share, offer.Member)),
                    1 => ShareRules.Adopt(share, offer.Member, random.Next(3)),
                    2 => ShareRules.Lose(share, offer.Member, TimeoutPolicy.Fail, s_now),
                    _ => share,
                };
            }
        }

        return share;
    }
}
