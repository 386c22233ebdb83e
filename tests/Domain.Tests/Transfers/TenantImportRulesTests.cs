using Muster.Domain.Transfers;

namespace Muster.Domain.Tests.Transfers;

public sealed class TenantImportRulesTests
{
    private static readonly Guid Export = Guid.Parse("11111111-1111-1111-1111-111111111111");
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Begin_InAnEmptyTenant_IsTold()
    {
        var begun = Begin(null, Export, isEmpty: true);

        Assert.Equal(new TenantImport(Export, Now, null), begun.Next);
        Assert.IsType<ImportBegun>(Assert.Single(begun.Events));
    }

    [Fact]
    public void Begin_AgainBeforeItIsComplete_GoesOn()
    {
        var begun = Begin(null, Export, isEmpty: true).Next;

        var again = Begin(begun, Export, isEmpty: false);

        Assert.Null(again.Error);
        Assert.Empty(again.Events);
    }

    [Fact]
    public void Begin_WhereRecordsAreOrAnImportEnded_IsRefused()
    {
        var done = new TenantImport(Export, Now, Now);

        Assert.Equal("TENANT_NOT_EMPTY", Begin(null, Export, isEmpty: false).Error?.Reason);
        Assert.Equal("TENANT_NOT_EMPTY", Begin(done, Export, isEmpty: false).Error?.Reason);
    }

    [Fact]
    public void Begin_OfAnotherExport_NamesTheOneThatIsUnderWay()
    {
        var error = Begin(new TenantImport(Export, Now, null), Guid.NewGuid(), isEmpty: false).Error;

        Assert.Equal("IMPORT_UNDER_WAY", error?.Reason);
        Assert.Contains(Export.ToString(), error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_OfWhatWasBegun_IsTakenOnce()
    {
        var begun = new TenantImport(Export, Now, null);

        var done = TenantImportRules.Complete(begun, TenantId.Default, Export, Now);
        var again = TenantImportRules.Complete(done.Next, TenantId.Default, Export, Now);
        var other = TenantImportRules.Complete(begun, TenantId.Default, Guid.NewGuid(), Now);

        Assert.Equal(Now, done.Next?.CompletedAt);
        Assert.IsType<ImportCompleted>(Assert.Single(done.Events));
        Assert.Empty(again.Events);
        Assert.Equal("IMPORT_UNDER_WAY", other.Error?.Reason);
    }

    [Theory]
    [InlineData(false, "with its rollouts")]
    [InlineData(true, "without its rollouts")]
    public void Begin_TheOtherWay_IsRefusedAndSaysWhichItWas(bool isWithoutRollouts, string said)
    {
        var begun = Begin(null, Export, isEmpty: true, isWithoutRollouts).Next;

        var error = Begin(begun, Export, isEmpty: false, !isWithoutRollouts).Error;

        Assert.Equal("IMPORT_UNDER_WAY", error?.Reason);
        Assert.Contains(said, error?.Message, StringComparison.Ordinal);
        Assert.Null(Begin(begun, Export, isEmpty: false, isWithoutRollouts).Error);
    }

    private static Decision<TenantImport?> Begin(TenantImport? current, Guid export, bool isEmpty, bool isWithoutRollouts = false) =>
        TenantImportRules.Begin(current, TenantId.Default, export, isWithoutRollouts, isEmpty, Now);
}
