using Microsoft.Extensions.Time.Testing;
using Muster.Contracts.CertificateStatus;
using Muster.Domain.Identity;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.CertificateStatus;

public sealed class RevocationTableTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Read_OfWhatTheCallerHas_IsNothing_UntilSomethingChanges()
    {
        var table = new RevocationTable();
        table.Apply("default/A", [Revoked(1)], Now);
        var first = table.Read(default, Now)!;

        table.Apply("default/A", [Revoked(1)], Now);
        table.Apply("default/B", [], Now);
        Assert.Null(table.Read(first.Mark, Now));
        table.Apply("default/B", [Revoked(2), Revoked(3) with { NotAfter = Now }], Now);
        var second = table.Read(first.Mark, Now)!;
        table.Apply("default/A", [], Now);

        Assert.Equal([Revoked(1)], first.Revoked);
        Assert.Equal([Revoked(1), Revoked(2)], second.Revoked.OrderBy(revoked => revoked.Serial.Low));
        Assert.Equal([Revoked(2)], table.Read(second.Mark, Now)!.Revoked);
        Assert.NotNull(new RevocationTable().Read(new RevocationMark(Guid.NewGuid(), 1), Now));
    }

    [Fact]
    public void DifferencesTo_AFoldThatDiffers_NamesTheDevice()
    {
        var (shown, fold) = (new RevocationTable(), new RevocationTable());
        shown.Apply("default/A", [Revoked(1)], Now);
        fold.Apply("default/A", [Revoked(1)], Now);
        var clock = new FakeTimeProvider(Now);
        Assert.Empty(shown.DifferencesTo(fold, clock));

        fold.Apply("default/B", [Revoked(2)], Now);

        Assert.Contains("default/B", Assert.Single(shown.DifferencesTo(fold, clock)), StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_CertificatesThatHaveEnded_TakeNoRoom()
    {
        var table = new RevocationTable();
        table.Apply("default/A", [Revoked(1)], Now);
        table.Apply("default/B", [Revoked(2) with { NotAfter = Now.AddHours(1) }], Now);
        table.Apply("default/C", [Revoked(3)], Now.AddDays(1));
        Assert.Equal(2, table.Count);

        Assert.Equal([Revoked(1)], table.Read(default, Now.AddHours(1))!.Revoked);
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void DifferencesTo_WhatEndedMeanwhile_DoesNotDiffer()
    {
        var (shown, fold) = (new RevocationTable(), new RevocationTable());
        shown.Apply("default/A", [Revoked(1), Revoked(2)], Now.AddDays(1));
        fold.Apply("default/A", [Revoked(1), Revoked(2)], Now);

        Assert.Single(shown.DifferencesTo(fold, new FakeTimeProvider(Now)));
        Assert.Empty(shown.DifferencesTo(fold, new FakeTimeProvider(Now.AddDays(1))));
    }

    private static RevokedCertificate Revoked(ulong number) =>
        new(new CertificateSerial(1, number), 1, RevocationCause.Superseded, Now, Now.AddDays(1));
}
