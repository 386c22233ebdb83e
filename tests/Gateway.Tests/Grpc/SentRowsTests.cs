using Muster.Gateway.Grpc;

namespace Muster.Gateway.Tests.Grpc;

public sealed class SentRowsTests
{
    [Fact]
    public void Compare_WithWhatWasSent_TellsOnlyWhatIsNewAndWhatIsGone()
    {
        var sent = new SentRows();
        sent.BeginComparison();
        Assert.NotNull(sent.Compare(Samples.Row("A")));
        Assert.NotNull(sent.Compare(Samples.Row("B")));
        Assert.Empty(sent.EndComparison());
        Assert.True(sent.Take(Samples.Row("C", version: 4)));

        sent.BeginComparison();
        Assert.Null(sent.Compare(Samples.Row("A")));
        Assert.NotNull(sent.Compare(Samples.Row("C", version: 5)));
        var gone = sent.EndComparison();

        Assert.Equal("default/B", Assert.Single(gone).Key);
        Assert.False(sent.Take(Samples.Row("B", version: 9) with { HasLeft = true }));
    }
}
