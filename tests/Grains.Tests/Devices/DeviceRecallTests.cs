using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

/// <summary>A device that has an offer of a cancelled rollout is asked to give it up until it has answered.</summary>
public sealed class DeviceRecallTests : IAsyncLifetime
{
    private static readonly ExpireChange Cancelled =
        new(Unit.Rollout(), TimeSpan.FromHours(1), TimeSpan.FromDays(7)) { IsCancelled = true };

    private readonly DeviceSilo _silo = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task ExpireChangeAsync_OfACancelledRollout_TellsTheDeviceOfNothingUntilItNamesThat()
    {
        var unit = await DownloadingAsync();

        var asked = await unit.Grain.ExpireChangeAsync(Cancelled);
        var again = await unit.Grain.ExpireChangeAsync(Cancelled);
        var first = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        var second = await unit.Gateway.NextAsync<DesiredMessage>(Cancel); // by the timer, although the change is delivered
        var preview = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        var busy = await unit.Grain.OfferAsync(Unit.Offer("summer"));
        Assert.Equal("DOWNLOAD_NOT_ALLOWED", (await DownloadAsync(unit))?.Reason);
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 2, 2, ChangeStep.Delivered))).Error);
        var ended = await unit.Grain.ExpireChangeAsync(Cancelled);
        var other = await unit.Grain.OfferAsync(Unit.Offer("summer"));

        Assert.Equal((OfferStatus.Offered, OfferStatus.Offered), (asked.Status, again.Status));
        Assert.Equal((new DesiredState(2, null, null), new DesiredState(2, null, null)), (first.Desired, second.Desired));
        Assert.Equal((OfferVerdict.InProgress, RecallState.Asked), (preview!.Verdict, preview.Recall));
        Assert.Equal(OfferStatus.WaitingBusy, busy.Status);
        Assert.Equal(
            (OfferStatus.Closed, ChangeOutcome.Withdrawn, OfferHandover.CancelledReason), (ended.Status, ended.Outcome, ended.Reason));
        Assert.Equal(OfferStatus.Offered, other.Status);
        Assert.Equal(
            ["ChangeOffered", "ChangeDelivered", "ChangeRecalled", "ChangeClosed", "ChangeOffered"], (await unit.FactsAsync())[4..]);
    }

    [Fact]
    public async Task Device_ThatRefuses_IsNotAskedAgainAndSucceedsWithItsBoot()
    {
        var unit = await DownloadingAsync();
        await unit.Grain.ExpireChangeAsync(Cancelled);

        var refusal = unit.Report("boot-1", 2, 2, ChangeStep.Unspecified) with { Outcome = ChangeOutcome.Rejected, Reason = "flashing" };
        Assert.Null((await unit.Grain.ReportAsync(refusal)).Error);
        var asked = await unit.Grain.ExpireChangeAsync(Cancelled);
        var preview = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, Unit.NewDigest, 2))).Error);
        var ended = await unit.Grain.ExpireChangeAsync(Cancelled);

        Assert.Equal((OfferStatus.Offered, RecallState.Refused), (asked.Status, preview!.Recall));
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Succeeded), (ended.Status, ended.Outcome));
        Assert.Equal(
            ["ChangeRecalled", "ChangeRecallRefused", "DeviceHelloTaken", "ChangeClosed"], (await unit.FactsAsync())[6..]);
    }

    [Fact]
    public async Task Device_WhoseActivationIsGone_IsAskedAgainByTheNextOneWithoutACommit()
    {
        var unit = await DownloadingAsync();
        await unit.Grain.ExpireChangeAsync(Cancelled);
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        await _silo.ForgetAsync(unit.GrainId);
        var facts = (await unit.FactsAsync()).Length;

        await unit.ConnectAsync();
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel); // by the timer of the new session
        var asked = await unit.Grain.ExpireChangeAsync(Cancelled);
        Assert.Equal((OfferStatus.Offered, facts), (asked.Status, (await unit.FactsAsync()).Length));
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 2, 2, ChangeStep.Delivered))).Error);

        Assert.Equal(2, told.Desired.Generation);
        Assert.Equal(ChangeOutcome.Withdrawn, (await unit.GetAsync()).LastChange!.Outcome);
    }

    [Theory]
    [InlineData(StorageFault.Lost, false)]
    [InlineData(StorageFault.ReplyLost, true)]
    public async Task ExpireChangeAsync_WhoseCommitFails_AsksWhenItIsCalledAgain(StorageFault fault, bool isCommitted)
    {
        var unit = await DownloadingAsync();
        _silo.FailNextWrite(unit.GrainId, fault);

        await Assert.ThrowsAnyAsync<Exception>(() => unit.Grain.ExpireChangeAsync(Cancelled));
        Assert.Equal(isCommitted ? 2 : 1, (await unit.GetAsync()).Desired.Generation);
        var asked = await unit.Grain.ExpireChangeAsync(Cancelled);

        Assert.Equal(OfferStatus.Offered, asked.Status);
        Assert.Single(await unit.FactsAsync(), nameof(ChangeRecalled));
        Assert.Equal(2, (await unit.GetAsync()).Change!.RecalledBy);
    }

    [Fact]
    public async Task ExpireChangeAsync_OfAnActivationThatMissedTheBoot_RecallsNothing()
    {
        var unit = await DownloadingAsync();
        await unit.OtherGrain.HelloAsync(unit.Hello("boot-2", 1, Unit.NewDigest, 1));

        await Assert.ThrowsAsync<CommitConflictException>(() => unit.Grain.ExpireChangeAsync(Cancelled));
        var ended = await unit.Grain.ExpireChangeAsync(Cancelled);

        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Succeeded), (ended.Status, ended.Outcome));
        Assert.DoesNotContain(nameof(ChangeRecalled), await unit.FactsAsync());
    }

    [Fact]
    public async Task Answer_ThatAnotherActivationHears_EndsTheChangeForTheFirstToo()
    {
        var unit = await DownloadingAsync();
        await unit.Grain.ExpireChangeAsync(Cancelled);

        await unit.OtherGrain.ReportAsync(unit.Report("boot-1", 2, 2, ChangeStep.Delivered));
        await Assert.ThrowsAsync<CommitConflictException>(
            () => unit.Grain.ReportAsync(unit.Report("boot-1", 2, 2, ChangeStep.Delivered)));
        var ended = await unit.Grain.ExpireChangeAsync(Cancelled);

        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Withdrawn), (ended.Status, ended.Outcome));
        Assert.Single(await unit.FactsAsync(), nameof(ChangeClosed));
    }

    private async Task<Unit> DownloadingAsync()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Downloading))).Error);
        return unit;
    }

    private static Task<Domain.FleetError?> DownloadAsync(Unit unit) =>
        unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.NewDigest));
}
